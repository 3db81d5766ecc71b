#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mlps::payload {

/// The size of a tile of fill_tiles(): small enough to stay in the level 2 cache until its visitor has read it.
inline constexpr size_t kTileBytes = 64 * 1024;

/// The bytes of an object as a pure function of (seed, object name, offset). Unique, incompressible, and without
/// two equal 512-byte sectors anywhere. Trivially copyable; any thread may produce or check any range at any time.
class Source {
 public:
  Source() = default;
  /// `name` is the object's name relative to its root, so moving a bucket or a folder doesn't change the payload.
  Source(uint64_t seed, std::string_view name);

  /// Fills `out` with the bytes [offset, offset + out.size()) of the object. No alignment is asked of either.
  void fill(uint64_t offset, std::span<std::byte> out) const;

  /// Does what fill() does, in tiles of at most kTileBytes that end where the object's offset is a multiple of it;
  /// after each, `visit(std::span<const std::byte> tile)` reads the fresh bytes from cache (a checksum, say).
  template <class Visit>
  void fill_tiles(uint64_t offset, std::span<std::byte> out, Visit&& visit) const {
    while (!out.empty()) {
      const std::span<std::byte> tile = out.first(std::min(out.size(), kTileBytes - offset % kTileBytes));
      fill(offset, tile);
      visit(std::span<const std::byte>(tile));
      offset += tile.size();
      out = out.subspan(tile.size());
    }
  }

  /// Returns the object offset of the first byte of `data` that differs from what fill() gives, or nothing if all
  /// agree.
  std::optional<uint64_t> first_mismatch(uint64_t offset, std::span<const std::byte> data) const;

  /// The first 8 bytes of every object are its seed, masked by its name, so that a reader that was not told the seed
  /// can find it: seed_from(name, first 8 bytes) == seed.
  static uint64_t seed_from(std::string_view name, std::span<const std::byte, 8> first_bytes);

 private:
  uint64_t key_low_ = 0;
  uint64_t key_high_ = 0;
  uint64_t first_word_ = 0;
};

/// Returns "avx512", "avx2" or "scalar": the layer chosen for this processor, as recorded in results.
std::string_view active_layer();

/// Returns the names of the layers that this processor can run, best first; for tests and benchmarks.
std::vector<std::string_view> available_layers();
/// Forces a layer (tests, benchmarks). False if this processor can't run it. Not thread-safe.
bool select_layer(std::string_view name);

}  // namespace mlps::payload
