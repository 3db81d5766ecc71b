#include "storage/posix/direct_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "storage/posix/file_store.hpp"
#include "storage/posix/local_store.hpp"
#include "storage/posix/probe.hpp"
#include "storage/posix/ring.hpp"

namespace mlps::storage {
namespace posix {
namespace {

class DirectStore final : public LocalStore {
 public:
  DirectStore(const Location& root, DirectLimits limits, Durability durability, int io_uring_errno)
      : LocalStore(root,
                   {true, std::max(limits.offset_alignment, limits.memory_alignment), FadviseMode::kNone, durability}),
        limits_(std::move(limits)),
        io_uring_errno_(io_uring_errno) {}

  StoreTraits traits() const override { return {"direct", blocking(), true, true, mode().alignment}; }

  Result<std::unique_ptr<Session>> open_session(unsigned depth) override {
    if (blocking()) return make_blocking_session(tree());
    return make_ring_session(tree(), depth);
  }

  SettingList describe() const override {
    const std::string engine = blocking() ? fmt::format("pread/pwrite (io_uring refused: {})",
                                                        std::generic_category().message(io_uring_errno_))
                                          : "io_uring";
    return {{"engine", engine},
            {"o_direct", "write and read"},
            {"alignment_bytes", fmt::format("{} ({})", mode().alignment, limits_.origin)},
            {"preallocation", "none (length set at begin)"},
            {"commit", std::string(commit_text(mode()))}};
  }

 private:
  bool blocking() const { return io_uring_errno_ != 0; }

  DirectLimits limits_;
  int io_uring_errno_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_direct_store(const Location& root, Durability durability, int io_uring_errno) {
  if (!root.path().starts_with('/')) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("\"{}\" is not an absolute path", root.path()));
  }
  Result<DirectLimits> limits = probe_direct(root.path());
  if (!limits) return fail(std::move(limits.error()));
  return std::make_unique<DirectStore>(root, std::move(*limits), durability, io_uring_errno);
}

}  // namespace posix

Result<std::unique_ptr<Store>> open_direct_store(const Location& root, Durability durability) {
  return posix::open_direct_store(root, durability, posix::io_uring_refusal());
}

}  // namespace mlps::storage
