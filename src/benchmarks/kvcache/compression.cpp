#include "benchmarks/kvcache/compression.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>

#include "base/zstd.hpp"

namespace mlps::kvcache {
namespace {

constexpr std::string_view kGzip = "\x1f\x8b";

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() { begin_member(); }

  Result<size_t> unpack(std::string_view& packed, char* out, size_t room) override {
    if (state_.block_state == ISAL_BLOCK_FINISH && !packed.empty()) begin_member();
    state_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(packed.data()));
    state_.avail_in = static_cast<uint32_t>(std::min<size_t>(packed.size(), std::numeric_limits<uint32_t>::max()));
    state_.next_out = reinterpret_cast<uint8_t*>(out);
    state_.avail_out = static_cast<uint32_t>(std::min<size_t>(room, std::numeric_limits<uint32_t>::max()));
    const uint32_t offered = state_.avail_in, space = state_.avail_out;
    if (isal_inflate(&state_) != ISAL_DECOMP_OK) return fail(ErrorCode::kConfigParse, "its gzip data are damaged");
    packed.remove_prefix(offered - state_.avail_in);
    return size_t{space - state_.avail_out};
  }
  bool is_whole() const override { return state_.block_state == ISAL_BLOCK_FINISH; }

 private:
  void begin_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }
  inflate_state state_{};
};

class ZstdUnpacker final : public Unpacker {
 public:
  Result<size_t> unpack(std::string_view& packed, char* out, size_t room) override {
    const auto made = stream_.decompress(packed, {out, room});
    if (!made) return fail(ErrorCode::kConfigParse, "its zstd data are damaged: " + made.error().message);
    return *made;
  }
  bool is_whole() const override { return !stream_.inside_frame(); }

 private:
  ZstdDecompressor stream_;
};

}  // namespace

std::unique_ptr<Unpacker> unpacker_for(std::string_view head) {
  if (head.starts_with(kGzip)) return std::make_unique<GzipUnpacker>();
  if (head.starts_with(kZstdMagic)) return std::make_unique<ZstdUnpacker>();
  return nullptr;
}

}  // namespace mlps::kvcache
