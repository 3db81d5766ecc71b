#include "benchmarks/training/page_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/threads.hpp"

namespace mlps::training {
namespace {

constexpr uint64_t kFilesSampledForResidency = 512;
/// A page cache that holds less than this share of the sample is as good as cold.
constexpr double kTrace = 0.005;

/// Returns the number of the i-th of `files` files that are spread evenly over the data set.
uint64_t sampled_file(const Dataset& dataset, uint64_t i, uint64_t files) {
  return static_cast<uint64_t>(static_cast<double>(i) * static_cast<double>(dataset.files()) /
                               static_cast<double>(files));
}

/// Looks at a sample of the files. Returns false, and leaves the probe without a sample, if this host isn't told.
Result<bool> sample(const Dataset& dataset, storage::Store& store, CacheProbe& probe) {
  probe.files_total = dataset.files();
  const uint64_t files = std::min(dataset.files(), kFilesSampledForResidency);
  probe.files_sampled = probe.cached_bytes = probe.sampled_bytes = std::nullopt;
  storage::Residency sum;
  for (uint64_t i = 0; i < files; ++i) {
    auto residency = store.residency(dataset.name(sampled_file(dataset, i, files)));
    if (!residency) return fail(std::move(residency.error()));
    if (!*residency) return false;
    sum.cached_bytes += (*residency)->cached_bytes;
    sum.total_bytes += (*residency)->total_bytes;
  }
  probe.files_sampled = files;
  probe.cached_bytes = sum.cached_bytes;
  probe.sampled_bytes = sum.total_bytes;
  return true;
}

/// Evicts one cached file of the sample, and returns whether its pages stay: a file system in memory has no other place
/// for them, and evicting the whole set would only take its time.
Result<bool> keeps_pages(const Dataset& dataset, storage::Store& store, uint64_t files) {
  for (uint64_t i = 0; i < files; ++i) {
    const std::string name = dataset.name(sampled_file(dataset, i, files));
    const auto before = store.residency(name);
    if (!before || !*before || (*before)->cached_bytes == 0) continue;
    if (Status evicted = store.evict(name); !evicted) return fail(std::move(evicted.error()));
    const auto after = store.residency(name);
    return after && *after && (*after)->cached_bytes >= (*before)->cached_bytes;
  }
  return false;
}

/// Evicts files until all are done, the time is over, or one fails. Returns how many were done.
Result<uint64_t> evict_all(const Dataset& dataset, storage::Store& store, double limit_s, uint32_t threads,
                           const world::Failure& failure) {
  const Nanos deadline = now_ns() + static_cast<Nanos>(limit_s * 1e9);
  std::atomic<uint64_t> next{0}, done{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::optional<Error> first;
  const auto work = [&](size_t) {
    for (uint64_t file; !stop && !failure.raised() && (file = next.fetch_add(1)) < dataset.files();) {
      if (now_ns() > deadline) break;
      if (Status evicted = store.evict(dataset.name(file)); !evicted) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::move(evicted.error());
        stop = true;
      } else {
        ++done;
      }
    }
  };
  const Status ran = run_on_threads(threads, {"threads that empty the page cache", "--io-workers"}, work);
  if (!ran) return fail(ran.error());
  if (first) return fail(std::move(*first));
  return done.load();
}

std::string evicted_text(uint64_t evicted, uint64_t files, double limit_s) {
  std::string text = fmt::format("evicted {} of {} files (fadvise DONTNEED)", evicted, files);
  if (evicted < files) text += fmt::format(", then {:.0f} s were over (--drop-caches-timeout-seconds)", limit_s);
  return text;
}

}  // namespace

Result<CacheProbe> keep_cold(const Dataset& dataset, storage::Store& store, double limit_s, uint32_t threads,
                             world::Failure& failure) {
  CacheProbe probe;
  const std::string mode = store.traits().backend == "direct" ? "O_DIRECT; " : "";
  Result<bool> known = sample(dataset, store, probe);
  if (!known) return fail(std::move(known.error()));
  const double cached = probe.cached_share().value_or(0);
  if (*known && cached <= kTrace) {
    probe.action = mode + "nothing to evict";
    return probe;
  }
  const std::string before = *known ? fmt::format("{:.1f} % was cached", 100 * cached)
                                    : "what was cached is unknown (the kernel tells a file's owner and who may write "
                                      "it, and only where the file system and the container's filter let it)";
  if (*known) {
    const Result<bool> kept = keeps_pages(dataset, store, *probe.files_sampled);
    if (!kept) return fail(kept.error());
    if (*kept) {
      probe.action = fmt::format("{}{}; nothing was evicted: this file system keeps its pages in memory", mode, before);
      return probe;
    }
  }
  const Result<uint64_t> evicted = evict_all(dataset, store, limit_s, std::max(threads, 1U), failure);
  if (!evicted) return fail(evicted.error());
  const bool was_known = *known;
  known = sample(dataset, store, probe);
  if (!known) return fail(std::move(known.error()));
  probe.action = mode + before + "; " + evicted_text(*evicted, probe.files_total, limit_s);
  if (!*known || !was_known) log::warning("page cache: {}", probe.action);
  return probe;
}

}  // namespace mlps::training
