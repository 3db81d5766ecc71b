#include "payload/layer.hpp"
#include "payload/payload.hpp"

namespace mlps::payload {
namespace {

/// Best first.
std::vector<const Layer*> runnable_layers() {
  std::vector<const Layer*> layers;
#ifdef MLPS_PAYLOAD_X86
  if (__builtin_cpu_supports("avx512f")) layers.push_back(&kAvx512Layer);
  if (__builtin_cpu_supports("avx2")) layers.push_back(&kAvx2Layer);
#endif
  layers.push_back(&kScalarLayer);
  return layers;
}

const Layer*& selected() {
  static const Layer* layer = runnable_layers().front();
  return layer;
}

}  // namespace

const Layer& selected_layer() {
  return *selected();
}

std::string_view active_layer() {
  return selected()->name;
}

std::vector<std::string_view> available_layers() {
  std::vector<std::string_view> names;
  for (const Layer* layer : runnable_layers()) names.push_back(layer->name);
  return names;
}

bool select_layer(std::string_view name) {
  for (const Layer* layer : runnable_layers()) {
    if (layer->name != name) continue;
    selected() = layer;
    return true;
  }
  return false;
}

}  // namespace mlps::payload
