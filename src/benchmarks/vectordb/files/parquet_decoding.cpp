#include "benchmarks/vectordb/files/parquet_decoding.hpp"

#include <algorithm>

namespace mlps::vectordb {
namespace {

class ThriftReader {
 public:
  explicit ThriftReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::optional<ThriftValue> read_struct(int depth = 0) {
    ThriftValue value;
    int id = 0;
    while (depth < kDeepestThrift) {
      const uint8_t head = byte();
      const int type = head & 0x0F;
      if (!valid_ || ++values_ > kMostThriftValues) return std::nullopt;
      if (type == 0) return value;
      id = (head >> 4) != 0 ? id + (head >> 4) : static_cast<int>(zigzag());
      auto field = read_value(type, depth, true);
      if (!field) return std::nullopt;
      value.fields.emplace_back(id, std::move(*field));
    }
    return std::nullopt;
  }
  size_t taken() const { return at_; }

 private:
  static constexpr size_t kMostThriftValues = 4'000'000;

  std::optional<ThriftValue> read_value(int type, int depth, bool is_field) {
    ThriftValue value;
    switch (type) {
      case 1:
      case 2:
        value.number = is_field ? static_cast<int64_t>(type == 1) : byte();
        break;
      case 3:
        value.number = byte();
        break;
      case 4:
      case 5:
      case 6:
        value.number = zigzag();
        break;
      case 7:
        skip(8);
        break;
      case 8: {
        const uint64_t size = varint();
        if (size > bytes_.size() - std::min(at_, bytes_.size())) return std::nullopt;
        value.text = {reinterpret_cast<const char*>(bytes_.data()) + at_, size};
        skip(size);
        break;
      }
      case 9:
      case 10:
        return read_list(depth + 1);
      case 12:
        return read_struct(depth + 1);
      default:
        return std::nullopt;
    }
    return valid_ ? std::optional(std::move(value)) : std::nullopt;
  }

  std::optional<ThriftValue> read_list(int depth) {
    const uint8_t head = byte();
    const uint64_t size = (head >> 4) == 15 ? varint() : head >> 4;
    ThriftValue list;
    for (uint64_t i = 0; i < size && depth < kDeepestThrift; ++i) {
      if (!valid_ || ++values_ > kMostThriftValues) return std::nullopt;
      auto item = read_value(head & 0x0F, depth, false);
      if (!item) return std::nullopt;
      list.fields.emplace_back(static_cast<int>(i), std::move(*item));
    }
    return valid_ && depth < kDeepestThrift ? std::optional(std::move(list)) : std::nullopt;
  }

  uint8_t byte() {
    if (at_ >= bytes_.size()) {
      valid_ = false;
      return 0;
    }
    return std::to_integer<uint8_t>(bytes_[at_++]);
  }
  void skip(uint64_t count) {
    valid_ = valid_ && count <= bytes_.size() - at_;
    if (valid_) at_ += count;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      value |= uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) return value;
    }
    valid_ = false;
    return 0;
  }
  int64_t zigzag() {
    const uint64_t value = varint();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }

  std::span<const std::byte> bytes_;
  size_t at_ = 0, values_ = 0;
  bool valid_ = true;
};

}  // namespace

std::optional<ThriftValue> read_thrift(std::span<const std::byte> bytes, size_t& taken) {
  ThriftReader reader(bytes);
  auto value = reader.read_struct();
  taken = reader.taken();
  return value;
}

std::optional<std::vector<uint32_t>> read_hybrid(std::span<const std::byte> in, unsigned width, size_t count) {
  std::vector<uint32_t> values;
  if (width > 32 || count > kMostParquetValues) return std::nullopt;
  size_t at = 0;
  const auto byte = [&]() -> std::optional<uint8_t> {
    return at < in.size() ? std::optional(std::to_integer<uint8_t>(in[at++])) : std::nullopt;
  };
  while (values.size() < count) {
    uint64_t head = 0;
    for (int shift = 0;; shift += 7) {
      const auto next = byte();
      if (!next || shift > 28) return std::nullopt;
      head |= uint64_t{*next & 0x7FU} << shift;
      if (*next < 0x80) break;
    }
    if ((head & 1) == 0) {
      uint32_t value = 0;
      for (unsigned i = 0; i < (width + 7) / 8; ++i) {
        const auto next = byte();
        if (!next) return std::nullopt;
        value |= uint32_t{*next} << (8 * i);
      }
      values.insert(values.end(), std::min<size_t>(head >> 1, count - values.size()), value);
      if (head == 0) return std::nullopt;
      continue;
    }
    const size_t bytes = (head >> 1) * width;
    if (bytes > in.size() - at || (head >> 1) == 0) return std::nullopt;
    for (size_t i = 0; i < (head >> 1) * 8 && values.size() < count; ++i) {
      uint32_t value = 0;
      for (unsigned bit = 0; bit < width; ++bit) {
        const size_t place = i * width + bit;
        value |= ((std::to_integer<uint32_t>(in[at + place / 8]) >> (place % 8)) & 1U) << bit;
      }
      values.push_back(value);
    }
    at += bytes;
  }
  return values;
}

std::optional<std::vector<std::byte>> decompress_snappy(std::span<const std::byte> in, size_t size) {
  size_t at = 0;
  const auto little = [&](size_t bytes) -> std::optional<uint32_t> {
    if (bytes > in.size() - at) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= std::to_integer<uint32_t>(in[at++]) << (8 * i);
    return value;
  };
  uint64_t length = 0;
  for (int shift = 0;; shift += 7) {
    const auto next = little(1);
    if (!next || shift > 28) return std::nullopt;
    length |= uint64_t{*next & 0x7FU} << shift;
    if (*next < 0x80) break;
  }
  if (length != size) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(size);
  while (at < in.size()) {
    const uint32_t tag = *little(1);
    if ((tag & 3) == 0) {
      size_t count = tag >> 2;
      if (count >= 60) {
        const auto more = little(count - 59);
        if (!more) return std::nullopt;
        count = *more;
      }
      ++count;
      if (count > in.size() - at || count > size - out.size()) return std::nullopt;
      out.insert(out.end(), in.begin() + static_cast<std::ptrdiff_t>(at),
                 in.begin() + static_cast<std::ptrdiff_t>(at + count));
      at += count;
      continue;
    }
    const size_t count = (tag & 3) == 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const auto low = little((tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4);
    if (!low) return std::nullopt;
    const size_t back = (tag & 3) == 1 ? ((tag >> 5) << 8) | *low : *low;
    if (back == 0 || back > out.size() || count > size - out.size()) return std::nullopt;
    for (size_t i = 0; i < count; ++i) out.push_back(out[out.size() - back]);
  }
  return out.size() == size ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace mlps::vectordb
