#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "payload/payload.hpp"

namespace mlps::payload {

inline std::vector<std::byte> bytes_of(const Source& source, uint64_t offset, size_t size) {
  std::vector<std::byte> bytes(size);
  source.fill(offset, bytes);
  return bytes;
}

/// Puts back the layer that was active when it was made.
class LayerGuard {
 public:
  LayerGuard() = default;
  LayerGuard(const LayerGuard&) = delete;
  LayerGuard& operator=(const LayerGuard&) = delete;
  ~LayerGuard() { select_layer(before_); }

 private:
  std::string_view before_ = active_layer();
};

}  // namespace mlps::payload
