#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace mlps {

/// Latency histogram with log-linear buckets: 64 buckets per power of two, so a reported percentile is at most 1.6 %
/// away from the true one. Recording takes a few instructions, without locks, floats or allocation. Not thread-safe:
/// each thread has its own, and they are merged when a phase ends. Values are nanoseconds (any uint64 works).
class Histogram {
 public:
  void record(uint64_t value) {
    ++counts_[index_of(value)];
    ++count_;
    sum_ += value;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  /// Costs as many steps as there are buckets between the extremes of `other`.
  void merge(const Histogram& other) {
    const auto [begin, end] = other.in_use();
    for (size_t i = begin; i < end; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }

  /// Forgets all values. Costs as many steps as there are buckets between the extremes.
  void clear() {
    const auto [begin, end] = in_use();
    std::fill(counts_.data() + begin, counts_.data() + end, 0);
    count_ = sum_ = max_ = 0;
    min_ = std::numeric_limits<uint64_t>::max();
  }

  uint64_t count() const { return count_; }
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_); }

  /// Returns the smallest recorded value v (to bucket precision, never past max()) with at least `fraction` of all
  /// values
  /// <= v; fraction in [0, 1]. 0 when nothing was recorded.
  uint64_t percentile(double fraction) const {
    if (count_ == 0) return 0;
    const double wanted = fraction * static_cast<double>(count_);
    uint64_t seen = 0;
    const auto [begin, end] = in_use();
    for (size_t i = begin; i < end; ++i) {
      seen += counts_[i];
      if (counts_[i] != 0 && static_cast<double>(seen) >= wanted) {
        return std::clamp(upper_bound_of(i), min_, max_);
      }
    }
    return max_;
  }

  /// Returns the largest value that the bucket with this index of State holds.
  static uint64_t largest_of(size_t index) { return upper_bound_of(index); }

  /// The content of a histogram, for sending it to another process: the buckets in use, by ascending index.
  struct State {
    struct Bucket {
      uint32_t index = 0;
      uint64_t count = 0;
    };
    std::vector<Bucket> buckets;
    uint64_t sum = 0, min = 0, max = 0;
  };

  State state() const {
    State state;
    const auto [begin, end] = in_use();
    for (size_t i = begin; i < end; ++i) {
      if (counts_[i] != 0) state.buckets.push_back({static_cast<uint32_t>(i), counts_[i]});
    }
    state.sum = sum_;
    state.min = min();
    state.max = max_;
    return state;
  }

  /// Returns the histogram with this state; nothing if the state is inconsistent.
  static std::optional<Histogram> restore(const State& state) {
    Histogram histogram;
    for (size_t i = 0; i < state.buckets.size(); ++i) {
      const auto& [index, count] = state.buckets[i];
      const bool ascends = i == 0 || index > state.buckets[i - 1].index;
      if (!ascends || index >= kBuckets || count == 0 || histogram.count_ + count < count) return std::nullopt;
      histogram.counts_[index] = count;
      histogram.count_ += count;
    }
    if (!fits(state, histogram.count_)) return std::nullopt;
    if (histogram.count_ == 0) return histogram;
    histogram.sum_ = state.sum;
    histogram.min_ = state.min;
    histogram.max_ = state.max;
    return histogram;
  }

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr size_t kSub = size_t{1} << kSubBits;
  static constexpr size_t kBuckets = kSub * (64 - kSubBits + 1);

  // Returns the first and the end of the buckets that can hold a value.
  std::pair<size_t, size_t> in_use() const {
    if (count_ == 0) return {0, 0};
    return {index_of(min_), index_of(max_) + 1};
  }

  // Values below 64 have a bucket each; above, the exponent and the next six bits select the bucket.
  static size_t index_of(uint64_t value) {
    if (value < kSub) return static_cast<size_t>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
    return (static_cast<size_t>(shift) << kSubBits) + static_cast<size_t>(value >> shift);
  }

  static uint64_t upper_bound_of(size_t index) {
    if (index < kSub) return index;
    const unsigned shift = static_cast<unsigned>(index >> kSubBits) - 1;
    const uint64_t head = (index & (kSub - 1)) + kSub;
    return (head << shift) + ((uint64_t{1} << shift) - 1);
  }

  // Returns whether `count` values in these buckets can have these extremes and this sum. A sum that may have wrapped
  // (values in the range of years) can't be checked.
  static bool fits(const State& state, uint64_t count) {
    if (count == 0) return state.sum == 0 && state.min == 0 && state.max == 0;
    if (state.min > state.max) return false;
    if (index_of(state.min) != state.buckets.front().index || index_of(state.max) != state.buckets.back().index) {
      return false;
    }
    if (state.max > std::numeric_limits<uint64_t>::max() / count) return true;
    return state.sum >= state.min * count && state.sum <= state.max * count;
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = std::numeric_limits<uint64_t>::max();
  uint64_t max_ = 0;
};

}  // namespace mlps
