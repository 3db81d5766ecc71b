#include "base/zstd.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <array>

namespace mlps {

ZstdCompressor::ZstdCompressor() : context_(ZSTD_createCCtx()) {}

ZstdCompressor::~ZstdCompressor() {
  ZSTD_freeCCtx(context_);
}

Status ZstdCompressor::compress(std::string_view text, Then then, std::string& out) {
  if (context_ == nullptr) return fail(ErrorCode::kInternal, "no memory for compression");
  const auto directive = then == Then::kGoOn ? ZSTD_e_continue : then == Then::kFlush ? ZSTD_e_flush : ZSTD_e_end;
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  for (;;) {
    std::array<char, 1 << 16> room;
    ZSTD_outBuffer made{room.data(), room.size(), 0};
    const size_t left = ZSTD_compressStream2(context_, &made, &in, directive);
    if (ZSTD_isError(left) != 0) {
      return fail(ErrorCode::kInternal, fmt::format("compression failed: {}", ZSTD_getErrorName(left)));
    }
    out.append(room.data(), made.pos);
    if (in.pos == in.size && (then == Then::kGoOn || left == 0)) return {};
  }
}

ZstdDecompressor::ZstdDecompressor() : context_(ZSTD_createDCtx()) {}

ZstdDecompressor::~ZstdDecompressor() {
  ZSTD_freeDCtx(context_);
}

Result<size_t> ZstdDecompressor::decompress(std::string_view& in, std::span<char> room) {
  if (context_ == nullptr) return fail(ErrorCode::kInternal, "no memory for decompression");
  ZSTD_inBuffer taken{in.data(), in.size(), 0};
  ZSTD_outBuffer made{room.data(), room.size(), 0};
  do {
    const size_t before = taken.pos;
    const size_t left = ZSTD_decompressStream(context_, &made, &taken);
    if (ZSTD_isError(left) != 0) {
      return fail(ErrorCode::kInvalidStructure, fmt::format("no Zstandard stream: {}", ZSTD_getErrorName(left)));
    }
    if (taken.pos != before || made.pos != 0) inside_ = left != 0;
  } while (taken.pos < taken.size && made.pos < made.size);
  in.remove_prefix(taken.pos);
  return made.pos;
}

}  // namespace mlps
