#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mlps::vectordb {

/// The nearest rows that a search has come by, sorted, at most a given number; each is taken once, nearest first.
class NearestList {
 public:
  struct Entry {
    float distance = 0;
    uint32_t node = 0;
    bool is_taken = false;
  };

  void reset(size_t most) {
    most_ = most;
    entries_.clear();
    entries_.reserve(most + 1);
    next_ = 0;
  }

  /// No row at this distance or farther can enter.
  float limit() const {
    return entries_.size() < most_ ? std::numeric_limits<float>::infinity() : entries_.back().distance;
  }
  void add(float distance, uint32_t node) {
    if (distance >= limit()) return;
    const auto at = std::upper_bound(entries_.begin(), entries_.end(), distance,
                                     [](float value, const Entry& entry) { return value < entry.distance; });
    next_ = std::min(next_, static_cast<size_t>(at - entries_.begin()));
    if (entries_.size() == most_) entries_.pop_back();
    entries_.insert(at, {distance, node, false});
  }
  /// Returns the nearest row that was not taken, or nothing (nullptr); valid until the next add().
  const Entry* peek() {
    while (next_ < entries_.size() && entries_[next_].is_taken) ++next_;
    return next_ < entries_.size() ? &entries_[next_] : nullptr;
  }
  void take_peeked() { entries_[next_++].is_taken = true; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  size_t most_ = 0;
  size_t next_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace mlps::vectordb
