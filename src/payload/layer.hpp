#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mlps::payload {

/// The generator's key of an object: 128 bits derived from (seed, name).
struct ObjectKey {
  uint64_t low = 0;
  uint64_t high = 0;
};

/// One instruction-set layer of the generator. All layers give the same bytes. The first 8 bytes of an object are
/// generated like all others here; Source puts the masked seed over them.
struct Layer {
  std::string_view name;
  /// Writes the `size` bytes from `offset` on to `out`.
  void (*fill)(const ObjectKey& key, uint64_t offset, std::byte* out, size_t size);
  /// Returns how many bytes of `data` agree with the object from `offset` on: `size` if all do.
  size_t (*count_equal)(const ObjectKey& key, uint64_t offset, const std::byte* data, size_t size);
};

extern const Layer kScalarLayer;
#ifdef MLPS_PAYLOAD_X86
extern const Layer kAvx2Layer;
extern const Layer kAvx512Layer;
#endif

/// Returns the layer in use: the best that this processor can run, unless select_layer() chose another.
const Layer& selected_layer();

}  // namespace mlps::payload
