#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

/// Structure over payload: in every format, the file's byte at offset o is the source's byte at offset o unless the
/// format puts something of its own there. So payload is generated in place, whole blocks at a time, however a file is
/// cut, and structure goes over it.
namespace mlps::formats {

/// A range of a file that is being filled.
struct Window {
  uint64_t offset = 0;
  std::span<std::byte> out;

  uint64_t end() const { return offset + out.size(); }
  /// The part of [begin, end) that lies in the window; empty where none does.
  Window clipped(uint64_t begin, uint64_t end) const {
    const uint64_t from = begin > offset ? begin : offset;
    const uint64_t to = end < this->end() ? end : this->end();
    if (from >= to) return {from, {}};
    return {from, out.subspan(from - offset, to - from)};
  }
};

/// Puts those of `bytes`, which stand at file offset `at`, that lie in the window.
inline void overlay(const Window& window, uint64_t at, std::string_view bytes) {
  const Window hit = window.clipped(at, at + bytes.size());
  if (!hit.out.empty()) std::memcpy(hit.out.data(), bytes.data() + (hit.offset - at), hit.out.size());
}

/// The file offset of the first byte of `data`, which stands at `offset`, that differs from `bytes`, which belong at
/// `at`; only what both have is compared.
inline std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data, uint64_t at,
                                              std::string_view bytes) {
  const uint64_t from = std::max(offset, at);
  const uint64_t to = std::min(offset + data.size(), at + bytes.size());
  for (uint64_t place = from; place < to; ++place) {
    if (data[place - offset] != std::byte(bytes[place - at])) return place;
  }
  return std::nullopt;
}

/// Appends an unsigned integer, least significant byte first.
template <class Unsigned>
void append_little_endian(std::string& text, Unsigned value) {
  static_assert(std::is_unsigned_v<Unsigned>);
  for (size_t byte = 0; byte < sizeof(value); ++byte) text += static_cast<char>(value >> (8 * byte) & 255);
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace mlps::formats
