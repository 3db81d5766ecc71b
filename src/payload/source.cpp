#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "payload/layer.hpp"
#include "payload/mix.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

static_assert(std::endian::native == std::endian::little, "the payload is defined as little-endian words");
static_assert(std::is_trivially_copyable_v<Source>);

/// Holds 128 bits of a name, from two chains of the same bijection with different starts: 64 bits would make two equal
/// names, and so two equal objects, likely (3 %) among 2^30 objects; for 128 bits the same is 2^-69.
struct NameHash {
  uint64_t low;
  uint64_t high;
};

NameHash hash_name(std::string_view name) {
  NameHash hash{0x243f6a8885a308d3u ^ name.size(), 0x13198a2e03707344u + name.size()};
  while (!name.empty()) {
    uint64_t word = 0;
    const size_t bytes = std::min(name.size(), sizeof word);
    std::memcpy(&word, name.data(), bytes);
    name.remove_prefix(bytes);
    hash.low = mix64(hash.low ^ word);
    hash.high = mix64(hash.high + std::rotl(word, 32));
  }
  return {mix64(hash.low), mix64(hash.high ^ hash.low)};
}

/// Returns the mask of the seed in an object's first 8 bytes, which would otherwise be the same in every object of a
/// run.
uint64_t seed_mask(const NameHash& hash) {
  return mix64(hash.low + std::rotl(hash.high, 17));
}

}  // namespace

Source::Source(uint64_t seed, std::string_view name) {
  const NameHash hash = hash_name(name);
  key_low_ = mix64(hash.low ^ seed);
  key_high_ = mix64(hash.high + mix64(~seed));
  first_word_ = seed ^ seed_mask(hash);
}

void Source::fill(uint64_t offset, std::span<std::byte> out) const {
  if (out.empty()) return;
  selected_layer().fill({key_low_, key_high_}, offset, out.data(), out.size());
  if (offset < sizeof first_word_) {
    const auto first = std::bit_cast<std::array<std::byte, sizeof first_word_>>(first_word_);
    std::memcpy(out.data(), first.data() + offset, std::min<uint64_t>(out.size(), sizeof first_word_ - offset));
  }
}

std::optional<uint64_t> Source::first_mismatch(uint64_t offset, std::span<const std::byte> data) const {
  if (offset < sizeof first_word_) {
    const auto first = std::bit_cast<std::array<std::byte, sizeof first_word_>>(first_word_);
    for (; offset < sizeof first_word_ && !data.empty(); ++offset, data = data.subspan(1)) {
      if (data.front() != first[offset]) return offset;
    }
  }
  if (data.empty()) return std::nullopt;
  const size_t equal = selected_layer().count_equal({key_low_, key_high_}, offset, data.data(), data.size());
  if (equal == data.size()) return std::nullopt;
  return offset + equal;
}

uint64_t Source::seed_from(std::string_view name, std::span<const std::byte, 8> first_bytes) {
  uint64_t word = 0;
  std::memcpy(&word, first_bytes.data(), sizeof word);
  return word ^ seed_mask(hash_name(name));
}

}  // namespace mlps::payload
