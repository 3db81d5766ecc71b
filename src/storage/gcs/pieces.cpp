#include "storage/gcs/pieces.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc.hpp"
#include "base/text.hpp"

namespace mlps::gcs {
namespace {

uint32_t width_above(uint32_t width) {
  return (width + kMaxComponents - 1) / kMaxComponents;
}

}  // namespace

std::string upload_prefix(std::string_view object_name, std::string_view upload) {
  return fmt::format("{}/{}/{}-", kUploadsFolder, object_name, upload);
}

std::string piece_name(std::string_view object_name, std::string_view upload, Piece piece) {
  return fmt::format("{}{}-{:05}", upload_prefix(object_name, upload), piece.level, piece.index);
}

std::optional<PieceName> parse_piece_name(std::string_view name) {
  if (!name.starts_with(kUploadsFolder) || name.substr(kUploadsFolder.size(), 1) != "/") return std::nullopt;
  name.remove_prefix(kUploadsFolder.size() + 1);
  const auto slash = name.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::string_view last = name.substr(slash + 1);
  const std::string_view upload = last.substr(0, kUploadDigits);
  if (last.size() <= kUploadDigits || last[kUploadDigits] != '-' ||
      upload.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view place = last.substr(kUploadDigits + 1);
  const auto dash = place.find('-');
  if (dash == std::string_view::npos || !parse_number<uint32_t>(place.substr(0, dash)) ||
      !parse_number<uint32_t>(place.substr(dash + 1))) {
    return std::nullopt;
  }
  return PieceName{name.substr(0, slash), upload};
}

bool is_piece_key(std::string_view key) {
  const auto folder = key.find(kUploadsFolder);
  if (folder == std::string_view::npos || (folder != 0 && key[folder - 1] != '/')) return false;
  return parse_piece_name(key.substr(folder)).has_value();
}

Pieces::Pieces(uint32_t parts) {
  for (uint32_t width = parts; width > 1; width = width_above(width)) levels_.emplace_back(width);
}

std::vector<Piece> Pieces::components(Piece piece) const {
  const unsigned below = piece.level - 1;
  const uint32_t first = piece.index * kMaxComponents;
  const auto end = std::min<uint32_t>(first + kMaxComponents, static_cast<uint32_t>(levels_[below].size()));
  std::vector<Piece> out;
  for (uint32_t index = first; index < end; ++index) out.push_back({below, index});
  return out;
}

uint64_t Pieces::bytes_of(Piece piece) const {
  uint64_t bytes = 0;
  for (const Piece component : components(piece)) bytes += at(component).bytes;
  return bytes;
}

uint32_t Pieces::crc_of(Piece piece) const {
  uint32_t crc = 0;
  for (const Piece component : components(piece)) crc = crc32c_joined(crc, at(component).crc, at(component).bytes);
  return crc;
}

std::optional<Piece> Pieces::stored(Piece piece, uint64_t bytes, uint32_t crc) {
  State& state = at(piece);
  state.bytes = bytes;
  state.crc = crc;
  const Piece above = {piece.level + 1, piece.index / kMaxComponents};
  if (above.level == top()) return std::nullopt;
  const auto wanted = static_cast<uint32_t>(components(above).size());
  if (at(above).components_stored.fetch_add(1, std::memory_order_acq_rel) + 1 != wanted) return std::nullopt;
  return above;
}

std::vector<Piece> Pieces::left(size_t most) const {
  std::vector<Piece> out;
  for (unsigned level = 0; level < top(); ++level) {
    for (uint32_t index = 0; index < levels_[level].size() && out.size() < most; ++index) {
      if (levels_[level][index].maybe_there.load()) out.push_back({level, index});
    }
  }
  return out;
}

}  // namespace mlps::gcs
