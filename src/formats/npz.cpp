#include <algorithm>
#include <array>

#include "base/crc.hpp"
#include "formats/kinds.hpp"
#include "formats/npy.hpp"
#include "formats/structure.hpp"
#include "formats/whole_file.hpp"
#include "formats/zip.hpp"

// In a zip file the CRC-32 of a member precedes the member, but any part of a file must be generated without the
// others. So the payload of member x is cut into tiles, and the last four bytes of each tile are the CRC's state before
// them, which resets the state to 0 (a CRC consumes a byte as state ^ byte). Each tile thus starts from a known state,
// and the member's CRC is the same for every file.

namespace mlps::formats {
namespace {

constexpr uint64_t kWordBytes = 4;
constexpr uint32_t kClosedCrc = 0xFFFFFFFF;  // state 0, inverted as a CRC-32 is
constexpr uint64_t kLargest32 = 0xFFFFFFFE;

struct Tile {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t word() const { return end - kWordBytes; }
};

/// The offsets in one file.
struct Places {
  bool zip64 = false;
  std::string x_npy;  ///< its NPY header
  uint64_t data_begin = 0;
  uint64_t data_end = 0;
  uint64_t zeros_begin = 0;
  uint64_t directory = 0;

  bool closed() const { return data_end - data_begin >= kWordBytes; }

  /// Tiles end where the payload's tiles do. A last tile of less than four bytes has no room for its word and is merged
  /// with the one before. (The first is never that short: headers are multiples of 64 bytes, and 35 or 55.)
  Tile tile_at(uint64_t offset) const {
    uint64_t begin = offset / payload::kTileBytes * payload::kTileBytes;
    if (data_end - begin < kWordBytes && begin > data_begin) begin -= payload::kTileBytes;
    const uint64_t end = begin + payload::kTileBytes;
    return {std::max(begin, data_begin), data_end < end + kWordBytes ? data_end : end};
  }
};

class Npz final : public WholeFile {
 public:
  explicit Npz(const Layout& layout)
      : WholeFile(layout),
        y_npy_(npy_header(workloads::ElementType::kInt64, std::array{samples()})),
        y_crc_(crc32_of_zeros(crc32(as_bytes(y_npy_)), zeros_bytes())) {}

  uint64_t file_bytes(const FileShape& shape) const override {
    const Places at = places(shape);
    return at.directory + directory(at, 0).size();
  }

  void fill(const FileShape& shape, const payload::Source& source, uint64_t offset,
            std::span<std::byte> out) const override {
    const Places at = places(shape);
    const Window window{offset, out};
    fill_data(at, source, window.clipped(at.data_begin, at.data_end));
    if (offset < at.data_begin || window.end() > at.data_end) fill_structure(at, source, window);
  }

  std::optional<uint64_t> first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                         std::span<const std::byte> data) const override;

 private:
  Places places(const FileShape& shape) const;
  std::string directory(const Places& at, uint32_t x_crc) const;
  std::array<ZipMember, 2> members(const Places& at, uint32_t x_crc) const;
  uint64_t zeros_bytes() const { return samples() * sizeof(int64_t); }

  void fill_structure(const Places& at, const payload::Source& source, const Window& window) const;
  static void fill_data(const Places& at, const payload::Source& source, Window window);

  std::string y_npy_;
  uint32_t y_crc_;
};

// Returns the word that closes `tile`. `part` holds its bytes from `offset` on; the bytes before are regenerated.
std::string closing_word(const Places& at, const payload::Source& source, const Tile& tile, uint64_t offset,
                         std::span<const std::byte> part) {
  uint32_t crc = tile.begin == at.data_begin ? crc32(as_bytes(at.x_npy)) : kClosedCrc;
  alignas(64) std::array<std::byte, 16 * 1024> scratch;
  const uint64_t missing_end = std::min(offset, tile.word());
  for (uint64_t from = tile.begin; from < missing_end;) {
    const auto piece =
        std::span(scratch).first(std::min<uint64_t>(scratch.size() - from % scratch.size(), missing_end - from));
    source.fill(from, piece);
    crc = crc32(piece, crc);
    from += piece.size();
  }
  if (offset < tile.word()) crc = crc32(part.first(tile.word() - offset), crc);
  std::string word;
  append_little_endian(word, ~crc);
  return word;
}

void Npz::fill_data(const Places& at, const payload::Source& source, Window window) {
  while (!window.out.empty()) {
    const Tile tile = at.tile_at(window.offset);
    const Window part = window.clipped(tile.begin, tile.end);
    source.fill(part.offset, part.out);
    if (at.closed() && part.end() > tile.word()) {
      overlay(part, tile.word(), closing_word(at, source, tile, part.offset, part.out));
    }
    window = window.clipped(part.end(), window.end());
  }
}

void Npz::fill_structure(const Places& at, const payload::Source& source, const Window& window) const {
  uint32_t x_crc = kClosedCrc;
  if (!at.closed()) {
    std::array<std::byte, kWordBytes> data = {};
    const auto few = std::span(data).first(at.data_end - at.data_begin);
    source.fill(at.data_begin, few);
    x_crc = crc32(few, crc32(as_bytes(at.x_npy)));
  }
  const auto [x, y] = members(at, x_crc);
  overlay(window, 0, zip_local_header(x, at.zip64) + at.x_npy);
  overlay(window, at.data_end, zip_local_header(y, at.zip64) + y_npy_);
  const Window zeros = window.clipped(at.zeros_begin, at.directory);
  std::fill(zeros.out.begin(), zeros.out.end(), std::byte{0});
  if (window.end() > at.directory) overlay(window, at.directory, directory(at, x_crc));
}

std::optional<uint64_t> Npz::first_mismatch(const FileShape& shape, const payload::Source& source, uint64_t offset,
                                            std::span<const std::byte> data) const {
  const Places at = places(shape);
  const uint64_t end = offset + data.size();
  const uint64_t data_begin = std::clamp(at.data_begin, offset, end);
  const uint64_t data_end = std::clamp(at.data_end, offset, end);
  const auto range = [&](uint64_t from, uint64_t to) { return data.subspan(from - offset, to - from); };
  if (const auto wrong = Format::first_mismatch(shape, source, offset, range(offset, data_begin))) return wrong;
  for (uint64_t from = data_begin; from < data_end;) {
    const Tile tile = at.tile_at(from);
    const uint64_t to = std::min(tile.end, data_end);
    const uint64_t word = at.closed() ? std::clamp(tile.word(), from, to) : to;
    if (const auto wrong = source.first_mismatch(from, range(from, word))) return wrong;
    if (word < to) {
      const std::string expected = closing_word(at, source, tile, from, range(from, to));
      if (const auto wrong = formats::first_mismatch(word, range(word, to), tile.word(), expected)) return wrong;
    }
    from = to;
  }
  return Format::first_mismatch(shape, source, data_end, range(data_end, end));
}

Places Npz::places(const FileShape& shape) const {
  Places at;
  at.x_npy = npy_header(element_type(), std::array{shape.height, shape.width, samples()});
  const uint64_t data_bytes = array_bytes(shape);
  const auto lay_out = [&](bool zip64) {
    const uint64_t local = zip_local_header({"x.npy"}, zip64).size();
    at.zip64 = zip64;
    at.data_begin = local + at.x_npy.size();
    at.data_end = at.data_begin + data_bytes;
    at.zeros_begin = at.data_end + local + y_npy_.size();
    at.directory = at.zeros_begin + zeros_bytes();
  };
  lay_out(false);
  if (at.directory > kLargest32) lay_out(true);
  return at;
}

std::array<ZipMember, 2> Npz::members(const Places& at, uint32_t x_crc) const {
  return {{{"x.npy", x_crc, at.x_npy.size() + (at.data_end - at.data_begin), 0},
           {"y.npy", y_crc_, y_npy_.size() + zeros_bytes(), at.data_end}}};
}

std::string Npz::directory(const Places& at, uint32_t x_crc) const {
  return zip_directory(members(at, x_crc), at.directory);
}

}  // namespace

Result<std::unique_ptr<Format>> make_npz(const Layout& layout) {
  return std::make_unique<Npz>(layout);
}

}  // namespace mlps::formats
