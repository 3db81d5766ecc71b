#pragma once

#include <algorithm>
#include <cstdint>

#include "base/units.hpp"
#include "storage/posix/local_object.hpp"

namespace mlps::storage::posix {

inline uint64_t round_up(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Tracks how much of one part was moved, in bytes from its beginning. The kernel may move less than asked; the rest is
/// then requested again from the last aligned position, as O_DIRECT wants it (alignment 1: from where it stopped).
class Transfer {
 public:
  /// Returns a transfer for a write of whole blocks.
  static Transfer of_write(uint64_t length, uint64_t alignment) { return {length, length, alignment}; }
  /// Returns a transfer for a read, which asks for whole blocks but is done when the part is there: the file may end
  /// inside the last block.
  static Transfer of_read(uint64_t length, uint64_t alignment) {
    return {length, round_up(length, alignment), alignment};
  }

  bool is_done() const { return reached_ >= needed_; }
  uint64_t begin() const { return begin_; }  ///< offset of the next request in the part
  /// Returns the bytes of the next request; bounded, because the kernel moves less than 2 GiB at a time.
  uint64_t count() const { return std::min(padded_ - begin_, kGiB); }
  uint64_t reached() const { return reached_; }  ///< moved so far

  /// Adds the result of the last request. False if it moved nothing new: the file, or the device, ends here.
  bool advance(uint64_t moved) {
    if (begin_ + moved <= reached_) return false;
    reached_ = begin_ + moved;
    begin_ = reached_ / alignment_ * alignment_;
    return true;
  }

 private:
  Transfer(uint64_t needed, uint64_t padded, uint64_t alignment)
      : needed_(needed), padded_(padded), alignment_(alignment) {}

  uint64_t needed_;
  uint64_t padded_;
  uint64_t alignment_;
  uint64_t begin_ = 0;
  uint64_t reached_ = 0;
};

/// Returns the error of a request that the kernel refused.
Error move_error(const Operation& operation, const Transfer& transfer, int errno_value);
/// Returns the error for an advance() that was false: E606 for a read (the file ended before the part did), E608 for a
/// write.
Error stuck_error(const Operation& operation, const Transfer& transfer);

}  // namespace mlps::storage::posix
