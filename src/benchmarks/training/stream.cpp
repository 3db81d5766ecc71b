#include "benchmarks/training/stream.hpp"

#include <algorithm>
#include <bit>

#include "benchmarks/training/permutation.hpp"

namespace mlps::training {

ExtentMap::ExtentMap(const formats::Format& format, uint64_t samples_per_file)
    : extents_(format.extent_count()), samples_per_file_(samples_per_file) {
  uint64_t complete = 0;
  for (uint32_t extent = 0; extent < extents_; ++extent) {
    samples_.push_back(format.extent_samples(extent));
    complete += samples_.back();
    complete_.push_back(complete);
  }
  find_groups();
}

/// A group ends with the extent that completes its samples. The second one says what is usual, since in front of the
/// first there may be a footer.
void ExtentMap::find_groups() {
  std::vector<uint32_t> ends;
  for (uint32_t extent = 0; extent < extents_; ++extent) {
    if (samples_[extent] != 0) ends.push_back(extent + 1);
  }
  if (ends.size() < 2) return;
  group_extents_ = ends[1] - ends[0];
  const uint64_t samples = samples_[ends[1] - 1];
  const auto usual = [&](size_t i) {
    return samples_[ends[i] - 1] == samples && ends[i] - (i == 0 ? 0 : ends[i - 1]) >= group_extents_ &&
           (i == 0 || ends[i] - ends[i - 1] == group_extents_);
  };
  const size_t first = usual(0) ? 0 : 1;
  first_group_ = ends[first] - group_extents_;
  for (size_t i = first; i < ends.size() && usual(i); ++i) ++groups_;
}

uint32_t ExtentMap::shuffled(uint32_t place, uint64_t key) const {
  if (place < first_group_ || place - first_group_ >= groups_ * group_extents_) return place;
  const uint32_t group = (place - first_group_) / group_extents_;
  const auto chosen = static_cast<uint32_t>(Permutation(groups_, key)(group));
  return first_group_ + chosen * group_extents_ + (place - first_group_) % group_extents_;
}

uint64_t ExtentMap::tickets_for(uint64_t samples) const {
  const uint64_t files = samples / samples_per_file_;
  const uint64_t rest = samples % samples_per_file_;
  if (rest == 0) return files * extents_;
  const auto last = std::lower_bound(complete_.begin(), complete_.end(), rest);
  return files * extents_ + static_cast<uint64_t>(last - complete_.begin()) + 1;
}

Stream::Stream(uint64_t capacity)
    : capacity_bits_(static_cast<uint32_t>(std::bit_width(std::max<uint64_t>(capacity, 2) - 1))),
      mask_((uint64_t{1} << capacity_bits_) - 1),
      marks_(std::make_unique<std::atomic<uint32_t>[]>(mask_ + 1)) {}

void Stream::restart(const ExtentMap& map, uint64_t total, uint64_t in_flight) {
  map_ = &map;
  base_ = end_;
  end_ += total;
  in_flight_.store(std::max<uint64_t>(in_flight, 1), std::memory_order_relaxed);
  head_ = base_;
  arrived_samples_ = taken_samples_ = 0;
}

Stream::Claim Stream::claim(uint32_t most) {
  const uint64_t limit = limit_.load(std::memory_order_acquire);
  uint64_t first = next_.load(std::memory_order_relaxed);
  for (;;) {
    // Numbers go on from pass to pass, so with an old limit nothing is left to claim (a thread that slept since finds
    // the exchange failing), and with a new one the rest of the new pass is visible.
    if (first >= limit) return {};
    const uint64_t completed = completed_.load(std::memory_order_relaxed);
    const uint64_t until = std::min({limit, first + most, completed + in_flight_.load(std::memory_order_relaxed)});
    if (first >= until) return {};
    if (next_.compare_exchange_weak(first, until, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return {first - base_, static_cast<uint32_t>(until - first)};
    }
  }
}

bool Stream::complete(uint64_t ticket) {
  const uint64_t number = base_ + ticket;
  completed_.fetch_add(1, std::memory_order_relaxed);
  // Mark first, then look whether it is awaited; ready() does it the other way round, so one of the two sees it.
  marks_[number & mask_].store(mark_of(number), std::memory_order_seq_cst);
  uint64_t expected = number;
  return awaited_.load(std::memory_order_seq_cst) == number &&
         awaited_.compare_exchange_strong(expected, kNone, std::memory_order_seq_cst);
}

uint64_t Stream::allow(uint64_t limit) {
  limit = std::min({base_ + limit, end_, head_ + mask_ + 1});
  const uint64_t before = limit_.load(std::memory_order_relaxed);
  if (limit <= before) return 0;
  limit_.store(limit, std::memory_order_release);
  return limit - before;
}

void Stream::warm(uint64_t samples) const {
  constexpr uint64_t kMarksPerLine = 64 / sizeof(std::atomic<uint32_t>);
  __builtin_prefetch(&limit_);
  const uint64_t end = std::min(base_ + map_->tickets_for(taken_samples_ + samples), head_ + mask_ + 1);
  for (uint64_t number = head_; number < end; number += kMarksPerLine) __builtin_prefetch(&marks_[number & mask_]);
}

bool Stream::ready(uint64_t samples) {
  const uint64_t wanted = taken_samples_ + samples;
  while (arrived_samples_ < wanted) {
    if (!is_complete(head_)) {
      awaited_.store(head_, std::memory_order_seq_cst);
      if (!is_complete(head_)) return false;
      // It came in between. If the worker has taken the mark away it is going to tell, and the caller waits for that.
      uint64_t expected = head_;
      if (!awaited_.compare_exchange_strong(expected, kNone, std::memory_order_seq_cst)) return false;
    }
    arrived_samples_ += map_->samples_of(head_++ - base_);
  }
  return true;
}

}  // namespace mlps::training
