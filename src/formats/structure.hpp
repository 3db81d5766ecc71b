#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

/// Structure over payload: in every format the file's byte at offset o is the payload's byte at offset o, unless the
/// format's structure occupies it. So the payload is generated in place, whole blocks at a time, however a file is cut,
/// and the structure is then written over it.
namespace mlps::formats {

/// A range of a file that is being filled.
struct Window {
  uint64_t offset = 0;
  std::span<std::byte> out;

  uint64_t end() const { return offset + out.size(); }
  /// Returns the part of the window that lies in [begin, end); empty if none does.
  Window clipped(uint64_t begin, uint64_t end) const {
    const uint64_t from = begin > offset ? begin : offset;
    const uint64_t to = end < this->end() ? end : this->end();
    if (from >= to) return {from, {}};
    return {from, out.subspan(from - offset, to - from)};
  }
};

/// Copies the part of `bytes`, whose file offset is `at`, that lies in the window.
inline void overlay(const Window& window, uint64_t at, std::string_view bytes) {
  const Window hit = window.clipped(at, at + bytes.size());
  if (!hit.out.empty()) std::memcpy(hit.out.data(), bytes.data() + (hit.offset - at), hit.out.size());
}

/// Compares `data`, read from file offset `offset`, with `bytes`, expected at offset `at`, where both overlap. Returns
/// the file offset of the first difference.
inline std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data, uint64_t at,
                                              std::string_view bytes) {
  const uint64_t from = std::max(offset, at);
  const uint64_t to = std::min(offset + data.size(), at + bytes.size());
  for (uint64_t i = from; i < to; ++i) {
    if (data[i - offset] != std::byte(bytes[i - at])) return i;
  }
  return std::nullopt;
}

/// Appends an unsigned integer, least significant byte first.
template <class Unsigned>
void append_little_endian(std::string& text, Unsigned value) {
  static_assert(std::is_unsigned_v<Unsigned>);
  for (size_t byte = 0; byte < sizeof(value); ++byte) text += static_cast<char>(value >> (8 * byte) & 255);
}

/// Appends an unsigned integer in groups of seven bits, least significant first, as Thrift and Protocol Buffers do.
inline void append_varint(std::string& text, uint64_t value) {
  for (; value >= 128; value >>= 7) text += static_cast<char>((value & 127) | 128);
  text += static_cast<char>(value);
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace mlps::formats
