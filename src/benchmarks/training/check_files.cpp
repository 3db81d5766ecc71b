#include "benchmarks/training/check_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/log.hpp"
#include "base/threads.hpp"
#include "base/units.hpp"

namespace mlps::training {
namespace {

/// Asking costs a round trip each, so many ask at once.
constexpr uint64_t kAskers = 16;

/// The first, the last and every k-th file of a set.
class Sample {
 public:
  Sample(uint64_t files, uint64_t interval) : files_(files), interval_(interval) {}

  uint64_t size() const { return files_ == 0 ? 0 : spaced() + ((files_ - 1) % interval_ == 0 ? 0 : 1); }
  uint64_t file(uint64_t index) const { return index == spaced() ? files_ - 1 : index * interval_; }

 private:
  uint64_t spaced() const { return (files_ - 1) / interval_ + 1; }

  const uint64_t files_, interval_;
};

/// Returns what the folder of the set holds in place of the files that are missing, as a sentence: often another number
/// of files, which is part of every name. Empty if nothing is there, or it can't be told.
std::string instead_of(const Dataset& dataset, storage::Store& store) {
  const std::string first = dataset.name(0);
  auto session = store.open_session(1);
  if (!session) return {};
  const auto page = (*session)->list(first.substr(0, first.find('/') + 1), "");
  if (!page) return {};
  for (const storage::ObjectInfo& object : page->objects) {
    const size_t total = object.name.rfind("_of_");
    if (total == std::string::npos) continue;
    return fmt::format("; {} is there: --params dataset.num_files_generated={} reads files of such names", object.name,
                       object.name.substr(total + 4, object.name.rfind('.') - total - 4));
  }
  return {};
}

/// What is wrong with files that were asked for.
struct Findings {
  uint64_t asked = 0, missing = 0, wrong = 0;
  uint64_t first_file = UINT64_MAX;
  std::string first;

  void note(uint64_t file, bool is_missing, std::string text) {
    ++(is_missing ? missing : wrong);
    if (file >= first_file) return;
    first_file = file;
    first = std::move(text);
  }

  Status verdict(const Dataset& dataset, storage::Store& store, std::string suggestion) const {
    if (missing + wrong == 0) return {};
    if (missing == asked) suggestion += instead_of(dataset, store);
    return fail(missing != 0 ? ErrorCode::kStorageNotFound : ErrorCode::kDataMismatch,
                fmt::format("{}: of {} files asked for, {} are missing and {} have a wrong size; first: {}",
                            store.root().to_string(), asked, missing, wrong, first),
                fmt::format("the set has {} files", dataset.files()), std::move(suggestion));
  }
};

/// Collects sizes of a foreign set.
class Sizes {
 public:
  explicit Sizes(const Dataset& names) : names_(names) {}

  void take(uint64_t i, uint64_t file, std::optional<uint64_t> bytes) {
    ++findings_.asked;
    if (!bytes) return findings_.note(file, true, fmt::format("{} is not there", names_.name(file)));
    if (*bytes == 0) return findings_.note(file, false, fmt::format("{} is empty", names_.name(file)));
    found_.each[i] = *bytes;
  }

  /// Asks for the files of `sample`.
  Status ask(const Sample& sample, storage::Store& store, world::Failure& failure) {
    found_.each.assign(sample.size(), 0);
    findings_ = {};
    Status asked = ask_files(
        sample.size(), [&](uint64_t i) { return names_.name(sample.file(i)); }, store, failure,
        [&](uint64_t i, std::optional<uint64_t> bytes) { take(i, sample.file(i), bytes); });
    if (!asked) return asked;
    if (findings_.missing == findings_.asked) {
      found_.each.clear();
      return {};
    }
    return findings_.verdict(names_, store,
                             "give the --data-dir that the data set was written to, and the number of files that are "
                             "there (--params dataset.num_files_train=N)");
  }

  bool all_same() const {
    return std::adjacent_find(found_.each.begin(), found_.each.end(), std::not_equal_to<>()) == found_.each.end();
  }
  FoundSizes take_all() { return std::move(found_); }

 private:
  const Dataset& names_;
  Findings findings_;
  FoundSizes found_;
};

}  // namespace

uint64_t listing_interval(uint64_t files, std::optional<uint64_t> asked) {
  if (asked) return *asked;
  if (files < 10'000) return 1;
  if (files < 100'000) return 10;
  if (files < 1'000'000) return 100;
  if (files < 10'000'000) return 1000;
  return 10'000;
}

Status ask_files(uint64_t count, const std::function<std::string(uint64_t)>& name_of, storage::Store& store,
                 world::Failure& failure, const std::function<void(uint64_t i, std::optional<uint64_t> bytes)>& take) {
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  std::optional<Error> error;  // asking itself failed
  const auto stop = [&](const Error& cause) {
    const std::lock_guard lock(mutex);
    if (!error) error = cause;
    next = count;
  };
  const auto work = [&](size_t) {
    auto session = store.open_session(1);
    if (!session) return stop(session.error());
    for (uint64_t i; !failure.raised() && (i = next.fetch_add(1)) < count;) {
      const Result<storage::ObjectInfo> info = (*session)->head(name_of(i));
      if (!info && info.error().code != ErrorCode::kStorageNotFound) return stop(info.error());
      const std::lock_guard lock(mutex);
      take(i, info ? std::optional(info->size_bytes) : std::nullopt);
    }
  };
  if (count == 0) return {};
  if (Status ran = run_on_threads(std::min(count, kAskers), {"threads that check files"}, work); !ran) return ran;
  if (failure.raised()) return fail(*failure.first());
  return error ? Status(fail(*error)) : Status();
}

Status check_files(const Dataset& dataset, std::optional<uint64_t> interval, storage::Store& store,
                   world::Failure& failure) {
  if (!store.traits().holds_objects) return {};
  const uint64_t every = listing_interval(dataset.files(), interval);
  if (every == 0) {
    log::status("no file is looked up before the run: dataset.listing_validation_interval=0");
    return {};
  }
  const Sample sample(dataset.files(), every);
  Findings findings;
  const auto take = [&](uint64_t i, std::optional<uint64_t> bytes) {
    ++findings.asked;
    const uint64_t file = sample.file(i);
    const uint64_t expected = dataset.file_bytes(file);
    if (!bytes) return findings.note(file, true, fmt::format("{} is not there", dataset.name(file)));
    if (*bytes == expected) return;
    findings.note(file, false,
                  fmt::format("{} has {} bytes instead of {}", dataset.name(file), grouped(*bytes), grouped(expected)));
  };
  Status asked = ask_files(
      sample.size(), [&](uint64_t i) { return dataset.name(sample.file(i)); }, store, failure, take);
  if (!asked) return asked;
  return findings.verdict(dataset, store,
                          "datagen with the same model and --params mends a data set of this program: it writes what "
                          "is missing or has a wrong size; or give the --data-dir that the data set was written to");
}

Result<FoundSizes> find_sizes(const Dataset& names, std::optional<uint64_t> interval, storage::Store& store,
                              world::Failure& failure) {
  Sizes sizes(names);
  if (interval == 0) interval.reset();  // unlike a check, sizes can't be done without
  const Sample sample(names.files(), listing_interval(names.files(), interval));
  if (Status asked = sizes.ask(sample, store, failure); !asked) return fail(asked.error());
  if (sizes.all_same()) {
    FoundSizes found = sizes.take_all();
    return FoundSizes{found.each.empty() ? 0 : found.each.front(), {}};
  }
  log::status("the files of the data set differ in size: all {} are asked for", grouped(names.files()));
  if (Status asked = sizes.ask(Sample(names.files(), 1), store, failure); !asked) return fail(asked.error());
  return sizes.take_all();
}

}  // namespace mlps::training
