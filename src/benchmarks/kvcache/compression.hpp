#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

/// Files packed by gzip or zstd, unpacked piece by piece.
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
/// packed.
std::unique_ptr<Unpacker> unpacker_for(std::string_view head);

}  // namespace mlps::kvcache
