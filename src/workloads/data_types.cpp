#include <algorithm>
#include <array>

#include "workloads/training_workload.hpp"

namespace mlps::workloads {
namespace {

struct Element {
  std::string_view name;
  uint32_t bytes;
};

// In the order of ElementType.
constexpr std::array<Element, 12> kElementSizes = {{{"uint8", 1},
                                                    {"uint16", 2},
                                                    {"uint32", 4},
                                                    {"uint64", 8},
                                                    {"int8", 1},
                                                    {"int16", 2},
                                                    {"int32", 4},
                                                    {"int64", 8},
                                                    {"float16", 2},
                                                    {"float32", 4},
                                                    {"float64", 8},
                                                    {"bool", 1}}};

}  // namespace

std::string_view format_name(DataFormat format) {
  constexpr std::array<std::string_view, 7> kNames = {"npz", "npy", "jpeg", "png", "tfrecord", "parquet", "synthetic"};
  return kNames[static_cast<size_t>(format)];
}

std::string_view element_name(ElementType type) {
  return kElementSizes[static_cast<size_t>(type)].name;
}

std::optional<ElementType> element_type_of(std::string_view name) {
  const auto* const found = std::find_if(kElementSizes.begin(), kElementSizes.end(),
                                         [&](const Element& element) { return element.name == name; });
  if (found == kElementSizes.end()) return std::nullopt;
  return static_cast<ElementType>(found - kElementSizes.begin());
}

uint32_t element_bytes(ElementType type) {
  return kElementSizes[static_cast<size_t>(type)].bytes;
}

}  // namespace mlps::workloads
