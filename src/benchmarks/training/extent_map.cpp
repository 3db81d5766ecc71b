#include "benchmarks/training/extent_map.hpp"

#include <algorithm>

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

}  // namespace mlps::training
