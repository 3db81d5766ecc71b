#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

/// The encodings that Parquet is made of. For hostile input: nothing for what is damaged.
namespace mlps::vectordb {

inline constexpr int kDeepestThrift = 16;
inline constexpr size_t kMostParquetValues = size_t{1} << 28;  ///< of one column in a row group

/// A value of Thrift's compact protocol: a number, a text, or fields or items of such values. Texts are views of what
/// it was read from.
struct ThriftValue {
  int64_t number = 0;
  std::string_view text = {};
  std::vector<std::pair<int, ThriftValue>> fields = {};  ///< of a struct by id, of a list by place

  const ThriftValue* find(int id) const {
    for (const auto& [key, value] : fields) {
      if (key == id) return &value;
    }
    return nullptr;
  }
  int64_t number_of(int id, int64_t usual = -1) const {
    const ThriftValue* value = find(id);
    return value != nullptr ? value->number : usual;
  }
};

/// Returns the struct that `bytes` begin with; `taken` is set to its length.
std::optional<ThriftValue> read_thrift(std::span<const std::byte> bytes, size_t& taken);

/// Returns `count` numbers of `width` bits, in runs and packed ones.
std::optional<std::vector<uint32_t>> read_hybrid(std::span<const std::byte> in, unsigned width, size_t count);

/// Returns what a block of Snappy holds, if it holds `size` bytes exactly.
std::optional<std::vector<std::byte>> decompress_snappy(std::span<const std::byte> in, size_t size);

}  // namespace mlps::vectordb
