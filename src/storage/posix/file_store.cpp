#include "storage/posix/file_store.hpp"

#include <fmt/format.h>

#include "storage/posix/local_store.hpp"

namespace mlps::storage {
namespace {

class FileStore final : public posix::LocalStore {
 public:
  FileStore(const Location& root, FadviseMode fadvise, Durability durability)
      : LocalStore(root, {false, 1, fadvise, durability}) {}

  StoreTraits traits() const override { return {"file", true, true, true, 1}; }

  Result<std::unique_ptr<Session>> open_session(unsigned /*depth*/) override {
    return posix::make_blocking_session(tree());
  }

  SettingList describe() const override {
    return {{"engine", "pwrite/pread (buffered)"},
            {"fadvise", std::string(fadvise_name(mode().fadvise))},
            {"preallocation", "none"},
            {"commit", std::string(posix::commit_text(mode()))}};
  }
};

}  // namespace

Result<std::unique_ptr<Store>> open_file_store(const Location& root, FadviseMode fadvise, Durability durability) {
  if (!root.path().starts_with('/')) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("\"{}\" is not an absolute path", root.path()));
  }
  return std::make_unique<FileStore>(root, fadvise, durability);
}

}  // namespace mlps::storage
