#include "benchmarks/kvcache/compression.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include <array>
#include <limits>

namespace mlps::kvcache {
namespace {

constexpr std::string_view kGzip = "\x1f\x8b";
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";
constexpr int kZstdLevel = 3;  // of mlpstorage 3.0
constexpr size_t kPackedPiece = 64 << 10;

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

// ---- zstd: the part of its interface that is used, which has been stable since 1.4 (zstd.h)

struct InBuffer {
  const void* data;
  size_t size, taken;
};
struct OutBuffer {
  void* data;
  size_t size, filled;
};
enum Directive : int { kContinue = 0, kEnd = 2 };

struct Zstd {
  void* (*create_unpacker)();
  size_t (*free_unpacker)(void*);
  size_t (*unpack)(void*, OutBuffer*, InBuffer*);
  void* (*create_packer)();
  size_t (*free_packer)(void*);
  size_t (*set)(void*, int, int);
  size_t (*pack)(void*, OutBuffer*, InBuffer*, int);
  unsigned (*is_error)(size_t);
  const char* (*error_name)(size_t);
};
constexpr int kLevelParameter = 100;

template <class Function>
bool find_symbol(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

/// Returns the library, which stays open.
Result<Zstd> zstd() {
  void* const library = ::dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
  Zstd found{};
  const bool there = library != nullptr && find_symbol(library, "ZSTD_createDStream", found.create_unpacker) &&
                     find_symbol(library, "ZSTD_freeDStream", found.free_unpacker) &&
                     find_symbol(library, "ZSTD_decompressStream", found.unpack) &&
                     find_symbol(library, "ZSTD_createCCtx", found.create_packer) &&
                     find_symbol(library, "ZSTD_freeCCtx", found.free_packer) &&
                     find_symbol(library, "ZSTD_CCtx_setParameter", found.set) &&
                     find_symbol(library, "ZSTD_compressStream2", found.pack) &&
                     find_symbol(library, "ZSTD_isError", found.is_error) &&
                     find_symbol(library, "ZSTD_getErrorName", found.error_name);
  if (there) return found;
  return fail(ErrorCode::kDependencyMissing, "zstd needs libzstd.so.1, which is not on this host", {},
              "install it (Debian: libzstd1), or use gzip or no compression");
}

class ZstdUnpacker final : public Unpacker {
 public:
  explicit ZstdUnpacker(const Zstd& zstd) : zstd_(zstd), state_(zstd.create_unpacker()) {}
  ~ZstdUnpacker() override { zstd_.free_unpacker(state_); }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;

  Result<size_t> unpack(std::string_view& packed, char* out, size_t room) override {
    InBuffer in{packed.data(), packed.size(), 0};
    OutBuffer text{out, room, 0};
    const size_t left = zstd_.unpack(state_, &text, &in);
    if (zstd_.is_error(left) != 0) {
      return fail(ErrorCode::kConfigParse, fmt::format("its zstd data are damaged: {}", zstd_.error_name(left)));
    }
    packed.remove_prefix(in.taken);
    whole_ = left == 0;
    return text.filled;
  }
  bool is_whole() const override { return whole_; }

 private:
  const Zstd zstd_;
  void* const state_;
  bool whole_ = false;
};

class ZstdPacker final : public Packer {
 public:
  explicit ZstdPacker(const Zstd& zstd) : zstd_(zstd), state_(zstd.create_packer()) {
    zstd_.set(state_, kLevelParameter, kZstdLevel);
  }
  ~ZstdPacker() override { zstd_.free_packer(state_); }
  ZstdPacker(const ZstdPacker&) = delete;
  ZstdPacker& operator=(const ZstdPacker&) = delete;

  Status pack(std::string_view text, bool end, std::string& packed) override {
    InBuffer in{text.data(), text.size(), 0};
    for (;;) {
      const size_t before = packed.size();
      packed.resize(before + kPackedPiece);
      OutBuffer out{packed.data() + before, kPackedPiece, 0};
      const size_t left = zstd_.pack(state_, &out, &in, end ? kEnd : kContinue);
      packed.resize(before + out.filled);
      if (zstd_.is_error(left) != 0) return fail(ErrorCode::kInternal, fmt::format("zstd: {}", zstd_.error_name(left)));
      if (end ? left == 0 : in.taken == in.size) return {};
    }
  }

 private:
  const Zstd zstd_;
  void* const state_;
};

}  // namespace

Result<std::unique_ptr<Unpacker>> unpacker_for(std::string_view head) {
  if (head.starts_with(kGzip)) return std::make_unique<GzipUnpacker>();
  if (!head.starts_with(kZstd)) return nullptr;
  const auto library = zstd();
  if (!library) return fail(library.error());
  return std::make_unique<ZstdUnpacker>(*library);
}

Result<std::unique_ptr<Packer>> make_zstd_packer() {
  const auto library = zstd();
  if (!library) return fail(library.error());
  return std::make_unique<ZstdPacker>(*library);
}

}  // namespace mlps::kvcache
