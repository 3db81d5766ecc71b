#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace mlps {

/// Compresses a stream into one Zstandard frame. One thread.
class ZstdCompressor {
 public:
  ZstdCompressor();
  ~ZstdCompressor();
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  enum class Then { kGoOn, kFlush, kEnd };  ///< kFlush: all so far can be read; kEnd: the frame is complete
  /// Appends what comes of `text` to `out`. Some may be kept back until kFlush or kEnd. E901 without memory.
  Status compress(std::string_view text, Then then, std::string& out);

 private:
  ZSTD_CCtx_s* context_;
};

/// Decompresses a stream of Zstandard frames, which anyone may have written, in bounded memory: frames that want a
/// window of more than 128 MiB are refused. One thread.
class ZstdDecompressor {
 public:
  ZstdDecompressor();
  ~ZstdDecompressor();
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;

  /// Takes bytes from the front of `in`, all or as many as fill `room`, and returns how many bytes of `room` were
  /// filled. To be called again with what is left of `in`, or none: 0 for an empty `in` means that all is out. E404
  /// with the library's words for what is no such stream.
  Result<size_t> decompress(std::string_view& in, std::span<char> room);
  /// Returns whether a frame has begun that has not ended.
  bool inside_frame() const { return inside_; }

 private:
  ZSTD_DCtx_s* context_;
  bool inside_ = false;
};

inline constexpr std::string_view kZstdMagic{"\x28\xb5\x2f\xfd", 4};

}  // namespace mlps
