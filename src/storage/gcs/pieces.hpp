#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/object/remote_object.hpp"

/// The temporary objects of an upload through the JSON API, which knows no multipart upload: every part is an object of
/// its own, and the server composes up to 32 objects to a new one, again and again, until there is one left.
namespace mlps::gcs {

inline constexpr uint32_t kMaxComponents = 32;  ///< of one compose request

/// The folder below a store's root that holds the pieces of unfinished uploads, and nothing else.
inline constexpr std::string_view kUploadsFolder = ".mlpstorage-uploads";

inline constexpr size_t kUploadDigits = 16;  ///< of an upload's id

/// The place of a piece in the tree of an upload. Level 0 are the parts; a piece of level n is composed of up to
/// kMaxComponents pieces of level n-1 that follow each other.
struct Piece {
  unsigned level = 0;
  uint32_t index = 0;
  bool operator==(const Piece&) const = default;
};

/// What a key below kUploadsFolder says.
struct PieceName {
  std::string_view name;    ///< of the object that is being written, relative to the root
  std::string_view upload;  ///< 16 hexadecimal digits
};

/// Returns the name of a piece relative to the root: kUploadsFolder, the object's name, and
/// "/<upload>-<level>-<index>".
std::string piece_name(std::string_view object_name, std::string_view upload, Piece piece);
/// Returns what is common to the names of all pieces of an upload.
std::string upload_prefix(std::string_view object_name, std::string_view upload);
/// Reads a name that piece_name() may have made; nothing for any other.
std::optional<PieceName> parse_piece_name(std::string_view name);
/// Returns whether a key is that of a piece, of whatever root.
bool is_piece_key(std::string_view key);

/// The pieces of one upload and what is known of each. Threads may work on different pieces at once.
///
/// Whoever completes the last of the pieces that a next one is composed of gets that one to compose, so the tree grows
/// while parts are still being sent, and the commit has one request left.
class Pieces final : public object::UploadState {
 public:
  /// `parts` is at least 2.
  explicit Pieces(uint32_t parts);

  /// Returns the level of the object itself, which is composed by the commit.
  unsigned top() const { return static_cast<unsigned>(levels_.size()); }
  /// Returns the pieces that `piece` is composed of, in order.
  std::vector<Piece> components(Piece piece) const;
  /// Returns size and CRC32C that `piece` must have, from those of its components, all of which are stored.
  uint64_t bytes_of(Piece piece) const;
  uint32_t crc_of(Piece piece) const;

  /// Notes that a request that makes the piece is about to be sent: it may be there from now on.
  void begun(Piece piece) { at(piece).maybe_there.store(true); }
  /// Notes a piece that the server confirmed. Returns the piece to compose next, if this was the last of its components
  /// and it isn't the object itself.
  std::optional<Piece> stored(Piece piece, uint64_t bytes, uint32_t crc);
  /// Notes that the piece isn't there any more.
  void gone(Piece piece) { at(piece).maybe_there.store(false); }
  /// Returns up to `most` pieces that may be there. Not while pieces are being made.
  std::vector<Piece> left(size_t most) const;

 private:
  struct State {
    uint64_t bytes = 0;
    uint32_t crc = 0;
    std::atomic<bool> maybe_there = false;
    std::atomic<uint32_t> components_stored = 0;
  };
  State& at(Piece piece) { return levels_[piece.level][piece.index]; }
  const State& at(Piece piece) const { return levels_[piece.level][piece.index]; }

  std::vector<std::vector<State>> levels_;  // without the object itself
};

}  // namespace mlps::gcs
