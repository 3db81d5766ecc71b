#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

/// gzip and zstd, piece by piece. zstd is done by the system's libzstd.so.1, which is opened where it is needed first.
namespace mlps::kvcache {

/// Unpacks a stream of one or more packed files that follow one another. One thread.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  /// Takes from the front of `packed`, and writes at most `room` characters to `out`; returns how many. Both may be
  /// few; with room and something packed one of them isn't nothing.
  virtual Result<size_t> unpack(std::string_view& packed, char* out, size_t room) = 0;
  /// Whether the stream may end here.
  virtual bool is_whole() const = 0;
};

/// Returns what unpacks a file that begins with `head`, at least four characters of it; nullptr for one that is not
/// packed. E204 where it is zstd and there is no libzstd.
Result<std::unique_ptr<Unpacker>> unpacker_for(std::string_view head);

/// Packs a stream by zstd, level 3. One thread.
class Packer {
 public:
  virtual ~Packer() = default;
  /// Appends what comes out of packing `text` to `packed`; with `end` the rest, too.
  virtual Status pack(std::string_view text, bool end, std::string& packed) = 0;
};
Result<std::unique_ptr<Packer>> make_zstd_packer();

}  // namespace mlps::kvcache
