#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mlps::vectordb {

/// Appends numbers and texts to the bytes of a file, in the byte order of the machine (x86 and ARM: little-endian).
class BinaryWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { put_all(std::span(&value, 1)); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put_all(std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void put_text(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    put_all(std::span(text.data(), text.size()));
  }

  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Takes from bytes that somebody else may have written. What is not there comes as zero, and is_valid() is false from
/// then on; no memory is taken for more than the bytes hold.
class BinaryReader {
 public:
  explicit BinaryReader(std::span<const std::byte> bytes) : left_(bytes) {}

  template <class T>
  requires std::is_trivially_copyable_v<T> T take() {
    T value{};
    if (const auto bytes = take_bytes(1, sizeof(T)); !bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T> std::vector<T> take_all(uint64_t count) {
    const auto bytes = take_bytes(count, sizeof(T));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::string take_text(uint32_t most) {
    const auto size = take<uint32_t>();
    if (size > most) is_valid_ = false;
    const auto bytes = take_bytes(is_valid_ ? size : 0, 1);
    std::string text(bytes.size(), '\0');
    if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
  }

  bool is_valid() const { return is_valid_; }
  size_t left() const { return left_.size(); }

 private:
  std::span<const std::byte> take_bytes(uint64_t count, size_t size) {
    if (!is_valid_ || count > left_.size() / size) {
      is_valid_ = false;
      return {};
    }
    const auto bytes = left_.first(count * size);
    left_ = left_.subspan(count * size);
    return bytes;
  }

  std::span<const std::byte> left_;
  bool is_valid_ = true;
};

}  // namespace mlps::vectordb
