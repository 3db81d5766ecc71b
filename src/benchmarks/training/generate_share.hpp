#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace mlps::training {

/// Selects the files that one process of several writes: first those of its `damaged` files, which lie below `first`,
/// then its part of the others. From the file `first` of the list [train..., eval...] on the processes take turns: so
/// all go through the list side by side, and nearly all written files lie below the first unfinished one, whatever the
/// number of processes. Positions count the files of one process, from 0 on.
class FileShare {
 public:
  FileShare(uint64_t first, uint64_t end, uint32_t process, uint32_t processes, std::vector<uint64_t> damaged = {})
      : damaged_(std::move(damaged)), first_(first), begin_(first + process), end_(end), processes_(processes) {}

  uint64_t count() const { return damaged_.size() + (begin_ >= end_ ? 0 : (end_ - begin_ - 1) / processes_ + 1); }
  bool is_damaged(uint64_t position) const { return position < damaged_.size(); }
  uint64_t file(uint64_t position) const {
    return is_damaged(position) ? damaged_[position] : begin_ + (position - damaged_.size()) * processes_;
  }
  /// Returns the exclusive upper bound of this process's complete file numbers once its first `positions` files are
  /// complete; never below first(), which was vouched for before.
  uint64_t whole_below(uint64_t positions) const {
    if (positions >= count()) return end_;
    return is_damaged(positions) ? first_ : file(positions);
  }
  uint64_t first() const { return first_; }  ///< all files below are whole already, but for the damaged ones
  uint64_t end() const { return end_; }      ///< files of the data set

 private:
  const std::vector<uint64_t> damaged_;
  const uint64_t first_, begin_, end_;
  const uint32_t processes_;
};

}  // namespace mlps::training
