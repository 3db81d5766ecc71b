#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/threads.hpp"
#include "base/units.hpp"
#include "benchmarks/training/run.hpp"

namespace mlps::training {
namespace {

/// Asking costs a round trip each, so many ask at once.
constexpr uint64_t kAskers = 16;

struct Findings {
  std::mutex mutex;
  uint64_t missing = 0, wrong = 0, asked = 0;
  uint64_t first_file = UINT64_MAX;
  std::string first;
  std::optional<Error> error;  ///< asking itself failed

  void note(uint64_t file, bool is_missing, std::string text) {
    const std::lock_guard lock(mutex);
    ++(is_missing ? missing : wrong);
    if (file < first_file) {
      first_file = file;
      first = std::move(text);
    }
  }
};

/// False if there is no use in asking on.
bool ask(const Dataset& dataset, uint64_t file, storage::Session& session, Findings& findings) {
  const std::string name = dataset.name(file);
  const uint64_t expected = dataset.file_bytes(file);
  const Result<storage::ObjectInfo> info = session.head(name);
  if (!info) {
    if (info.error().code == ErrorCode::kStorageNotFound) {
      findings.note(file, true, fmt::format("{} is not there", name));
      return true;
    }
    const std::lock_guard lock(findings.mutex);
    if (!findings.error) findings.error = info.error();
    return false;
  }
  if (info->size_bytes != expected) {
    findings.note(file, false,
                  fmt::format("{} has {} bytes instead of {}", name, grouped(info->size_bytes), grouped(expected)));
  }
  return true;
}

Status verdict(const Findings& findings, const Dataset& dataset, const storage::Store& store) {
  if (findings.error) return fail(*findings.error);
  if (findings.missing + findings.wrong == 0) return {};
  const std::string suggestion =
      "generate the data set again with the same model and --params, or give the --data-dir it was written to";
  return fail(findings.missing != 0 ? ErrorCode::kStorageNotFound : ErrorCode::kDataMismatch,
              fmt::format("{}: of {} files asked for, {} are missing and {} have a wrong size; first: {}",
                          store.root().to_string(), findings.asked, findings.missing, findings.wrong, findings.first),
              fmt::format("the set has {} files", dataset.files()), suggestion);
}

}  // namespace

uint64_t listing_interval(uint64_t files, uint64_t asked) {
  if (asked > 0) return asked;
  if (files < 10'000) return 1;
  if (files < 100'000) return 10;
  if (files < 1'000'000) return 100;
  if (files < 10'000'000) return 1000;
  return 10'000;
}

Status check_files(const Dataset& dataset, uint64_t interval, storage::Store& store, world::Failure& failure) {
  if (!store.traits().holds_objects || dataset.files() == 0) return {};
  interval = listing_interval(dataset.files(), interval);
  // The last file is asked for too: numbered behind the every-k-th ones.
  const uint64_t spaced = (dataset.files() + interval - 1) / interval;
  std::atomic<uint64_t> next{0};
  Findings findings;
  const auto work = [&](size_t) {
    auto session = store.open_session(1);
    if (!session) {
      const std::lock_guard lock(findings.mutex);
      if (!findings.error) findings.error = session.error();
      return;
    }
    for (uint64_t i; !failure.raised() && (i = next.fetch_add(1)) <= spaced;) {
      const uint64_t file = i == spaced ? dataset.files() - 1 : i * interval;
      if (!ask(dataset, file, **session, findings)) next = spaced + 1;
      const std::lock_guard lock(findings.mutex);
      ++findings.asked;
    }
  };
  const Status ran = run_on_threads(std::min(spaced, kAskers), {"threads that check files"}, work);
  if (!ran) return fail(ran.error());
  return verdict(findings, dataset, store);
}

}  // namespace mlps::training
