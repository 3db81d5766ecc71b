#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The wire format of protocol buffers, as far as the messages of Milvus need it.
namespace mlps::vectordb {

/// Writes the fields of one message. Values of 0 and empty texts are left out, as the format has it.
class ProtoWriter {
 public:
  ProtoWriter& number(uint32_t field, uint64_t value) {
    if (value == 0) return *this;
    key(field, 0);
    varint(value);
    return *this;
  }
  ProtoWriter& text(uint32_t field, std::string_view value) { return value.empty() ? *this : bytes(field, value); }
  /// Writes a message or a text also if it is empty.
  ProtoWriter& bytes(uint32_t field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  ProtoWriter& message(uint32_t field, const ProtoWriter& value) { return bytes(field, value.bytes_); }
  ProtoWriter& numbers(uint32_t field, std::span<const int64_t> values) {
    ProtoWriter packed;
    for (const int64_t value : values) packed.varint(static_cast<uint64_t>(value));
    return bytes(field, packed.bytes_);
  }
  ProtoWriter& floats(uint32_t field, std::span<const float> values) {
    static_assert(std::endian::native == std::endian::little, "floats go out as they lie in memory");
    return bytes(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  const std::string& taken() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  void key(uint32_t field, uint32_t type) { varint((uint64_t{field} << 3) | type); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

/// Reads a message field by field. For hostile input: what is cut off or malformed ends the message, and good() tells.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}

  /// Moves to the next field; false at the end.
  bool next() {
    if (rest_.empty() || !good_) return false;
    const uint64_t key = varint();
    field_ = static_cast<uint32_t>(key >> 3);
    switch (key & 7) {
      case 0:
        number_ = varint();
        value_ = {};
        break;
      case 1:
        value_ = take(8);
        break;
      case 2:
        value_ = take(varint());
        break;
      case 5:
        value_ = take(4);
        break;
      default:
        good_ = false;
    }
    return good_;
  }
  uint32_t field() const { return field_; }
  uint64_t number() const { return number_; }        ///< of a number field
  std::string_view bytes() const { return value_; }  ///< of a text or message field
  std::string text() const { return std::string(value_); }
  bool good() const { return good_; }

  /// Reads the numbers of a packed field, or a single one.
  void numbers(std::vector<uint64_t>& out) const {
    if (value_.empty()) {
      out.push_back(number_);
      return;
    }
    ProtoReader packed(value_);
    while (!packed.rest_.empty() && packed.good_) out.push_back(packed.varint());
  }
  /// Reads the floats of a packed field, or a single one.
  void floats(std::vector<float>& out) const {
    const size_t count = value_.size() / sizeof(float), before = out.size();
    out.resize(before + count);
    if (count == 0) return;
    std::memcpy(out.data() + before, value_.data(), count * sizeof(float));
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  std::string_view take(uint64_t length) {
    if (length > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  std::string_view rest_, value_;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  bool good_ = true;
};

/// Returns the first field of that number with a text or message in it; empty if there is none.
inline std::string_view proto_field(std::string_view message, uint32_t field) {
  for (ProtoReader reader(message); reader.next();) {
    if (reader.field() == field) return reader.bytes();
  }
  return {};
}
/// Returns the first number field of that number; 0 if there is none.
inline uint64_t proto_number(std::string_view message, uint32_t field) {
  for (ProtoReader reader(message); reader.next();) {
    if (reader.field() == field) return reader.number();
  }
  return 0;
}

}  // namespace mlps::vectordb
