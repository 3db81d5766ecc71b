#pragma once

#include <cstdint>

namespace mlps::training {

/// Selects the files that one process of several writes. From the file `first` of the list [train..., eval...] on the
/// processes take turns: so all go through the list side by side, and nearly all written files lie below the first
/// unfinished one, whatever the number of processes. Positions count the files of one process, from 0 on.
class FileShare {
 public:
  FileShare(uint64_t first, uint64_t end, uint32_t process, uint32_t processes)
      : first_(first), begin_(first + process), end_(end), processes_(processes) {}

  uint64_t count() const { return begin_ >= end_ ? 0 : (end_ - begin_ - 1) / processes_ + 1; }
  uint64_t file(uint64_t position) const { return begin_ + position * processes_; }
  /// Returns the exclusive upper bound of this process's complete file numbers once its first `positions` files are
  /// complete.
  uint64_t whole_below(uint64_t positions) const { return positions < count() ? file(positions) : end_; }
  uint64_t first() const { return first_; }  ///< all files below are whole already
  uint64_t end() const { return end_; }      ///< files of the data set

 private:
  const uint64_t first_, begin_, end_;
  const uint32_t processes_;
};

}  // namespace mlps::training
