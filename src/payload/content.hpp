#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace mlps::payload {

/// What an object holds when it isn't plain payload: a file of some format. Any thread may call it at any time.
class Content {
 public:
  virtual ~Content() = default;
  /// The object's bytes [offset, offset + out.size()).
  virtual void fill(uint64_t offset, std::span<std::byte> out) const = 0;
  /// The object offset of the first byte of `data` that differs from what fill() gives, or nothing.
  virtual std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const = 0;
};

}  // namespace mlps::payload
