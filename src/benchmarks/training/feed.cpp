#include "benchmarks/training/feed.hpp"

#include <sys/resource.h>

namespace mlps::training {

Feed::Feed(uint32_t first_rank, uint32_t ranks, uint64_t capacity, uint32_t least_workers, uint32_t most_workers)
    : first_rank_(first_rank),
      workers_(least_workers, most_workers),
      next_announced_(std::make_unique<uint32_t[]>(ranks)) {
  streams_.reserve(ranks);
  for (uint32_t rank = 0; rank < ranks; ++rank) streams_.push_back(std::make_unique<Stream>(capacity));
}

void Feed::begin(const Pass& pass, uint64_t samples, uint64_t in_flight) {
  pass_ = &pass;
  const uint64_t total = pass.extents.tickets_for(samples);
  for (const auto& stream : streams_) stream->restart(pass.extents, total, in_flight);
}

void Feed::announce(uint32_t rank) {
  uint32_t head = announced_.load(std::memory_order_relaxed);
  do {
    next_announced_[rank] = head;
  } while (!announced_.compare_exchange_weak(head, rank, std::memory_order_acq_rel, std::memory_order_relaxed));
  news_.notify(1);
}

void Feed::collect(std::vector<uint32_t>& ranks) {
  ranks.clear();
  if (announced_.load(std::memory_order_relaxed) == kEnd) return;
  for (uint32_t rank = announced_.exchange(kEnd, std::memory_order_acq_rel); rank != kEnd;
       rank = next_announced_[rank]) {
    ranks.push_back(rank);
  }
}

void Feed::wake_all() {
  work_.notify();
  workers_.reserve().notify();
  news_.notify();
}

void Feed::close() {
  closed_.store(true, std::memory_order_release);
  wake_all();
}

uint64_t voluntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw);
}

}  // namespace mlps::training
