#include "benchmarks/training/page_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/clock.hpp"
#include "base/threads.hpp"

namespace mlps::training {
namespace {

constexpr uint64_t kFilesSampledForResidency = 512;
/// A page cache that holds less than this share of the sample is as good as cold.
constexpr double kTrace = 0.005;

/// Returns false if this host can't know (files of another user).
Result<bool> sample(const Dataset& dataset, storage::Store& store, CacheProbe& probe) {
  probe.files_total = dataset.files();
  probe.files_sampled = std::min(dataset.files(), kFilesSampledForResidency);
  probe.cached_bytes = probe.sampled_bytes = 0;
  for (uint64_t i = 0; i < probe.files_sampled; ++i) {
    const uint64_t file = static_cast<uint64_t>(static_cast<double>(i) * static_cast<double>(probe.files_total) /
                                                static_cast<double>(probe.files_sampled));
    auto residency = store.residency(dataset.name(file));
    if (!residency) return fail(std::move(residency.error()));
    if (!*residency) return false;
    probe.cached_bytes += (*residency)->cached_bytes;
    probe.sampled_bytes += (*residency)->total_bytes;
  }
  return true;
}

double share(const CacheProbe& probe) {
  return probe.sampled_bytes == 0 ? 0
                                  : static_cast<double>(probe.cached_bytes) / static_cast<double>(probe.sampled_bytes);
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

}  // namespace

Result<CacheProbe> keep_cold(const Dataset& dataset, storage::Store& store, double limit_s, uint32_t threads,
                             world::Failure& failure) {
  CacheProbe probe;
  if (store.traits().backend == "direct") {
    probe.files_total = dataset.files();
    probe.action = "O_DIRECT: reads don't use the page cache";
    return probe;
  }
  Result<bool> known = sample(dataset, store, probe);
  if (!known) return fail(std::move(known.error()));
  if (!*known) {
    probe.files_sampled = 0;
    probe.action = "unknown: only the files' owner is told what the page cache holds";
    return probe;
  }
  if (share(probe) <= kTrace) {
    probe.action = "nothing to evict";
    return probe;
  }
  const double before = share(probe);
  const Result<uint64_t> evicted = evict_all(dataset, store, limit_s, std::max(threads, 1U), failure);
  if (!evicted) return fail(evicted.error());
  known = sample(dataset, store, probe);
  if (!known) return fail(std::move(known.error()));
  probe.action = fmt::format("{:.1f} % was cached; evicted {} of {} files (fadvise DONTNEED)", 100 * before, *evicted,
                             probe.files_total);
  if (*evicted < probe.files_total) {
    probe.action += fmt::format(", then {:.0f} s were over (--drop-caches-timeout-seconds)", limit_s);
  }
  return probe;
}

}  // namespace mlps::training
