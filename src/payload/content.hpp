#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace mlps::payload {

/// The content of an object that is a file of some format instead of plain payload. Any thread may call it at any time.
class Content {
 public:
  virtual ~Content() = default;
  /// Fills `out` with the object's bytes [offset, offset + out.size()).
  virtual void fill(uint64_t offset, std::span<std::byte> out) const = 0;
  /// Returns the object offset of the first byte of `data` that differs from what fill() gives, or nothing.
  virtual std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const = 0;
};

}  // namespace mlps::payload
