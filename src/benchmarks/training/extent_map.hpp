#pragma once

#include <cstdint>
#include <vector>

#include "formats/format.hpp"

namespace mlps::training {

/// Where samples lie in a rank's sequence of extents; the same for every rank of a pass. A read's number ("ticket")
/// counts the extents of the rank's files in order.
class ExtentMap {
 public:
  ExtentMap(const formats::Format& format, uint64_t samples_per_file);

  uint64_t extents_per_file() const { return extents_; }
  /// Tickets [0, n) hold the first `samples` samples; the smallest such n.
  uint64_t tickets_for(uint64_t samples) const;
  uint64_t samples_of(uint64_t ticket) const { return samples_[ticket % extents_]; }

  /// The extent that stands at `place` (below extents_per_file()) when a file's samples are shuffled by `key`. Groups
  /// of extents that bring equally many samples (row groups, runs of records) change places as wholes; a footer in
  /// front and a shorter last group stay where they are.
  uint32_t shuffled(uint32_t place, uint64_t key) const;

 private:
  void find_groups();

  uint64_t extents_;
  uint64_t samples_per_file_;
  std::vector<uint64_t> samples_;   // by extent
  std::vector<uint64_t> complete_;  // samples complete after extents 0..i of a file
  uint32_t first_group_ = 0;        // extent with which the first of the equal groups begins
  uint32_t group_extents_ = 1;
  uint32_t groups_ = 0;
};

}  // namespace mlps::training
