#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/structure.hpp"

namespace mlps::formats {

/// Writes the part of Thrift's compact protocol that Parquet needs. The caller writes fields in ascending order of
/// their ids, and closes every struct that it opens.
class ThriftWriter {
 public:
  enum class Type : uint8_t {
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kI32 = 5,
    kI64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };

  void boolean(int id, bool value) { field(id, value ? Type::kTrue : Type::kFalse); }
  void byte(int id, uint8_t value) {
    field(id, Type::kByte);
    text_ += static_cast<char>(value);
  }
  void i32(int id, int64_t value) {
    field(id, Type::kI32);
    zigzag(value);
  }
  void i64(int id, uint64_t value) {
    field(id, Type::kI64);
    zigzag(static_cast<int64_t>(value));
  }
  void binary(int id, std::string_view value) {
    field(id, Type::kBinary);
    element(value);
  }

  void open_struct(int id) {
    field(id, Type::kStruct);
    open_element();
  }
  void open_element() {  ///< opens a struct in a list, or the outermost one
    outer_.push_back(last_);
    last_ = 0;
  }
  void close() {
    text_ += '\0';
    last_ = outer_.back();
    outer_.pop_back();
  }

  /// Opens a list; the caller writes its `size` elements next. A list needs no close().
  void list(int id, Type type, uint64_t size) {
    field(id, Type::kList);
    const auto low = static_cast<uint8_t>(type);
    text_ += static_cast<char>((size < 15 ? size << 4 : 0xF0) | low);
    if (size >= 15) varint(size);
  }
  void element(int32_t value) { zigzag(value); }
  void element(std::string_view value) {
    varint(value.size());
    text_ += value;
  }

  const std::string& text() const { return text_; }

 private:
  void field(int id, Type type) {
    // One byte has room for a step of up to 15 between ids; Parquet's never differ by more.
    text_ += static_cast<char>(((id - last_) << 4) | static_cast<int>(type));
    last_ = id;
  }
  void zigzag(int64_t value) { varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }
  void varint(uint64_t value) { append_varint(text_, value); }

  std::string text_;
  int last_ = 0;
  std::vector<int> outer_;
};

}  // namespace mlps::formats
