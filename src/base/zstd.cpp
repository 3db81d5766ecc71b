#include "base/zstd.hpp"

#include <fmt/format.h>

#include <array>

#if __has_include(<zstd.h>)
#include <zstd.h>
#else
// The part of the library's interface that is used here; it hasn't changed since version 1.4.
extern "C" {
typedef struct ZSTD_CCtx_s ZSTD_CCtx;
typedef struct ZSTD_DCtx_s ZSTD_DCtx;
struct ZSTD_inBuffer {
  const void* src;
  size_t size;
  size_t pos;
};
struct ZSTD_outBuffer {
  void* dst;
  size_t size;
  size_t pos;
};
enum ZSTD_EndDirective { ZSTD_e_continue = 0, ZSTD_e_flush = 1, ZSTD_e_end = 2 };
ZSTD_CCtx* ZSTD_createCCtx(void);
size_t ZSTD_freeCCtx(ZSTD_CCtx* context);
size_t ZSTD_compressStream2(ZSTD_CCtx* context, ZSTD_outBuffer* out, ZSTD_inBuffer* in, ZSTD_EndDirective then);
ZSTD_DCtx* ZSTD_createDCtx(void);
size_t ZSTD_freeDCtx(ZSTD_DCtx* context);
size_t ZSTD_decompressStream(ZSTD_DCtx* context, ZSTD_outBuffer* out, ZSTD_inBuffer* in);
unsigned ZSTD_isError(size_t code);
const char* ZSTD_getErrorName(size_t code);
}
#endif

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
