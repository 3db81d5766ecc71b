#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/error.hpp"

namespace mlps {

/// Owns aligned memory for I/O from mmap(), with huge pages advised for large sizes. Pages are not touched until
/// used. Move-only.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// The alignment of every buffer: the largest that a file system may ask of O_DIRECT.
  static constexpr size_t kAlignment = 65536;

  /// Allocates `bytes`. Fails with E201.
  static Result<AlignedBuffer> allocate(size_t bytes);

  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> span() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mlps
