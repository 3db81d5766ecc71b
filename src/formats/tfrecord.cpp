#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "base/crc.hpp"
#include "formats/kinds.hpp"
#include "formats/structure.hpp"

namespace mlps::formats {
namespace {

constexpr uint64_t kFrameBytes = 12;  // length and its checksum
constexpr uint64_t kCrcBytes = 4;

std::string varint(uint64_t value) {
  std::string text;
  append_varint(text, value);
  return text;
}

// The tag and length of a field 1 to 15 of wire type 2.
std::string opening(unsigned field, uint64_t length) {
  return static_cast<char>((field << 3) | 2) + varint(length);
}
std::string delimited(unsigned field, const std::string& content) {
  return opening(field, content.size()) + content;
}

// TensorFlow masks its checksums, since a CRC over data that contains CRCs is weak.
uint32_t masked(uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

/// One record with a tf.train.Example of `image` and `size`: head, image, suffix, checksum.
struct Record {
  std::string head;    ///< frame, and the Example up to the image's bytes
  std::string suffix;  ///< the Example's rest
  uint64_t image_bytes = 0;

  uint64_t suffix_at() const { return head.size() + image_bytes; }
  uint64_t crc_at() const { return suffix_at() + suffix.size(); }
  uint64_t bytes() const { return crc_at() + kCrcBytes; }
};

Record record_of(uint64_t image_bytes) {
  // From the inside out: BytesList.value, Feature.bytes_list, the map's value and entry, Example.features.
  const std::string value = opening(1, image_bytes);
  const std::string list = opening(1, value.size() + image_bytes);
  const std::string feature = opening(2, list.size() + value.size() + image_bytes);
  const std::string content = delimited(1, "image") + feature + list + value;
  const std::string image = opening(1, content.size() + image_bytes) + content;
  const std::string number = delimited(3, delimited(1, varint(image_bytes)));
  const std::string size = delimited(1, delimited(1, "size") + delimited(2, number));
  const std::string example = opening(1, image.size() + image_bytes + size.size()) + image;

  Record record;
  record.image_bytes = image_bytes;
  append_little_endian(record.head, example.size() + image_bytes + size.size());
  append_little_endian(record.head, masked(crc32c(as_bytes(record.head))));
  record.head += example;
  record.suffix = size;
  return record;
}

// Fills a part of the record at `at`, without its checksum.
void fill_unchecked(const Record& record, uint64_t at, const payload::Source& source, const Window& part) {
  source.fill(part.offset, part.out);
  overlay(part, at, record.head);
  overlay(part, at + record.suffix_at(), record.suffix);
}

// Returns the CRC of the bytes between the record's frame and `end`, which are regenerated piece by piece.
uint32_t crc_again(const Record& record, uint64_t at, const payload::Source& source, uint64_t end) {
  alignas(64) std::array<std::byte, 16 * 1024> scratch;
  uint32_t crc = 0;
  for (uint64_t from = at + kFrameBytes; from < end;) {
    const uint64_t bytes = std::min(scratch.size() - from % scratch.size(), end - from);
    const Window piece{from, std::span(scratch).first(bytes)};
    fill_unchecked(record, at, source, piece);
    crc = crc32c(piece.out, crc);
    from = piece.end();
  }
  return crc;
}

std::string checksum(uint32_t crc) {
  std::string text;
  append_little_endian(text, masked(crc));
  return text;
}

// Fills a part of the record at `at`; each tile is added to the CRC while it is in the cache.
void fill_record(const Record& record, uint64_t at, const payload::Source& source, Window part) {
  const uint64_t crc_at = at + record.crc_at();
  if (part.end() <= crc_at) return fill_unchecked(record, at, source, part);
  uint32_t crc = crc_again(record, at, source, std::min(part.offset, crc_at));
  while (part.offset < crc_at && !part.out.empty()) {
    const uint64_t tile_end = (part.offset / payload::kTileBytes + 1) * payload::kTileBytes;
    const Window tile = part.clipped(part.offset, std::min(tile_end, crc_at));
    fill_unchecked(record, at, source, tile);
    crc = crc32c(tile.clipped(at + kFrameBytes, crc_at).out, crc);
    part = part.clipped(tile.end(), part.end());
  }
  overlay(part, crc_at, checksum(crc));
}

std::optional<uint64_t> record_mismatch(const Record& record, uint64_t at, const payload::Source& source,
                                        uint64_t offset, std::span<const std::byte> data) {
  const uint64_t end = offset + data.size();
  if (const auto wrong = first_mismatch(offset, data, at, record.head)) return wrong;
  const uint64_t image = std::clamp(at + record.head.size(), offset, end);
  const uint64_t suffix = std::clamp(at + record.suffix_at(), offset, end);
  if (const auto wrong = source.first_mismatch(image, data.subspan(image - offset, suffix - image))) return wrong;
  if (const auto wrong = first_mismatch(offset, data, at + record.suffix_at(), record.suffix)) return wrong;
  const uint64_t crc_at = at + record.crc_at();
  if (end <= crc_at) return std::nullopt;
  // The data has matched so far, so the checksum can be computed from it.
  const uint64_t payload_at = at + kFrameBytes;
  const uint64_t known = std::clamp(offset, payload_at, crc_at);
  const auto present = offset < crc_at ? data.subspan(known - offset, crc_at - known) : data.first(0);
  const uint32_t crc = crc32c(present, crc_again(record, at, source, known));
  return first_mismatch(offset, data, crc_at, checksum(crc));
}

class Tfrecord final : public Format {
 public:
  Tfrecord(const Layout& layout, uint64_t records_per_extent)
      : records_(layout.samples_per_file),
        per_extent_(records_per_extent),
        element_bytes_(workloads::element_bytes(layout.element_type)) {}

  uint64_t file_bytes(const FileShape& shape) const override { return record(shape).bytes() * records_; }

  uint32_t extent_count() const override { return static_cast<uint32_t>((records_ - 1) / per_extent_ + 1); }
  uint64_t extent_samples(uint32_t index) const override {
    return std::min(per_extent_, records_ - index * per_extent_);
  }
  Extent extent(const FileShape& shape, uint32_t index) const override {
    const uint64_t bytes = record(shape).bytes();
    return {index * per_extent_ * bytes, extent_samples(index) * bytes};
  }

  void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    const Record each = record(shape);
    for (Window rest{offset, out}; !rest.out.empty();) {
      const uint64_t at = rest.offset / each.bytes() * each.bytes();
      const Window part = rest.clipped(at, at + each.bytes());
      fill_record(each, at, source, part);
      rest = rest.clipped(part.end(), rest.end());
    }
  }

  std::optional<uint64_t> first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                         std::span<const std::byte> data) const override {
    const Record each = record(shape);
    while (!data.empty()) {
      const uint64_t at = offset / each.bytes() * each.bytes();
      const auto part = data.first(std::min<uint64_t>(data.size(), at + each.bytes() - offset));
      if (const auto wrong = record_mismatch(each, at, source, offset, part)) return wrong;
      offset += part.size();
      data = data.subspan(part.size());
    }
    return std::nullopt;
  }

  std::optional<std::string> index_text(const FileShape& shape) const override {
    const uint64_t bytes = record(shape).bytes();
    std::string text;
    for (uint64_t index = 0; index < records_; ++index) {
      fmt::format_to(std::back_inserter(text), "{} {}\n", index * bytes, bytes);
    }
    return text;
  }

 private:
  Record record(const FileShape& shape) const { return record_of(shape.height * shape.width * element_bytes_); }

  uint64_t records_;
  uint64_t per_extent_;
  uint64_t element_bytes_;
};

}  // namespace

Result<std::unique_ptr<Format>> make_tfrecord(const Layout& layout) {
  const double nominal = layout.record_bytes * workloads::element_bytes(layout.element_type);
  const uint64_t record_bytes = record_of(static_cast<uint64_t>(nominal)).bytes();
  const uint64_t per_extent = std::max<uint64_t>(1, layout.extent_bytes / record_bytes);
  if ((layout.samples_per_file - 1) / per_extent >= std::numeric_limits<uint32_t>::max()) {
    return fail(
        ErrorCode::kConfigInvalid,
        fmt::format("dataset.num_samples_per_file={} is more than a tfrecord file is read in", layout.samples_per_file),
        {}, fmt::format("with these records at most {}", per_extent * std::numeric_limits<uint32_t>::max()));
  }
  return std::make_unique<Tfrecord>(layout, per_extent);
}

}  // namespace mlps::formats
