#include "gates/access.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/descriptor.hpp"
#include "base/units.hpp"
#include "gates/probe_file.hpp"
#include "payload/payload.hpp"
#include "storage/probe_name.hpp"

namespace mlps::gates {
namespace {

// Not a multiple of any block size: a store that only moved whole blocks would lose the tail.
constexpr size_t kProbeBytes = 4099;

Error in_probe(Error error, const char* step, const std::string& where) {
  // A store's own message names the object already.
  const bool named = error.message.find(where) != std::string::npos;
  error.message =
      fmt::format("{} the probe object{}{}: {}", step, named ? "" : " at ", named ? "" : where, error.message);
  return error;
}

/// Looks for the bucket. A refusal of that comes without a word of the server, since an answer to HEAD has no body:
/// then the list says why, or that nothing else is refused.
Status reach_bucket(storage::Session& session) {
  Status there = session.reach();
  if (there || there.error().code != ErrorCode::kStorageDenied) return there;
  if (const auto page = session.list({}, {}); !page) return fail(page.error());
  return {};
}

/// Tries the requests of a run on one probe object, and gathers what fails.
class RequestProbe {
 public:
  RequestProbe(storage::Store& store, storage::Session& session)
      : session_(session),
        name_(std::string(storage::kObjectProbe) + storage::random_suffix()),
        where_(store.root().join(name_).to_string()),
        lists_(!store.traits().file_system) {}

  std::vector<Error> run(uint64_t part_bytes) {
    if (Status there = reach_bucket(session_); !there) return {std::move(there.error())};
    if (lists_) {
      if (auto page = session_.list({}, {}); !page) failures_.push_back(std::move(page.error()));
    }
    put_and_compare();
    if (part_bytes != 0 && !unreachable()) try_upload(std::min(part_bytes, kMostPartBytes));
    clean_up();
    return std::move(failures_);
  }

 private:
  void note(const char* step, Error error) { failures_.push_back(in_probe(std::move(error), step, where_)); }

  /// Returns whether the store can't be reached, so that every further request would only wait.
  bool unreachable() const { return !failures_.empty() && failures_.back().code == ErrorCode::kStorageUnreachable; }

  void put_and_compare() {
    if (unreachable()) return;
    std::vector<std::byte> content(kProbeBytes);
    payload::Source(kProbeBytes, name_).fill(0, content);
    sent_ = true;
    if (Status put = session_.put(name_, content); !put) return note("write", std::move(put.error()));
    written_ = true;
    const auto info = session_.head(name_);
    if (!info) {
      note("look at", info.error());
    } else if (info->size_bytes != content.size()) {
      failures_.push_back({ErrorCode::kDataMismatch,
                           fmt::format("the probe object at {} has {} bytes, but {} were written", where_,
                                       info->size_bytes, content.size()),
                           {},
                           kWrongBytes});
    }
    auto back = session_.get(name_, 0, content.size());
    if (!back) return note("read", std::move(back.error()));
    if (*back == content) return;
    failures_.push_back({ErrorCode::kDataMismatch,
                         fmt::format("the probe object at {} reads back other bytes than were written", where_),
                         fmt::format("{} of {} bytes came back", back->size(), content.size()), kWrongBytes});
  }

  void try_upload(uint64_t part_bytes) {
    std::vector<std::byte> part(part_bytes);
    payload::Source(part_bytes, name_).fill(0, part);
    if (Status tried = session_.try_upload(name_, part); !tried) note("upload a part of", std::move(tried.error()));
  }

  // Also after a write that failed, which may have left an object; but then only the first failure is reported. Not if
  // no connection came about for it.
  void clean_up() {
    if (!sent_ || unreachable()) return;
    Status removed = session_.remove(name_);
    if (removed || !written_) return;
    Error error = in_probe(std::move(removed.error()), "delete", where_);
    error.details += fmt::format("{}{} may be left", error.details.empty() ? "" : "; ", where_);
    failures_.push_back(std::move(error));
  }

  static constexpr uint64_t kMostPartBytes = 64 * kMiB;
  static constexpr char kWrongBytes[] = "the storage, or something between, changes data: no result of it would count";

  storage::Session& session_;
  std::string name_, where_;
  bool lists_;
  bool sent_ = false;
  bool written_ = false;
  std::vector<Error> failures_;
};

constexpr size_t kBlock = 4096;

/// Opens a file with `flags`, writes blocks at the given places, in this order, syncs and closes it. Returns 0 or
/// errno.
int write_blocks(const std::string& path, int flags, std::initializer_list<off_t> blocks) {
  Descriptor file(::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return errno;
  const std::string content(kBlock, 'm');
  for (const off_t block : blocks) {
    const ssize_t written = ::pwrite(file.get(), content.data(), kBlock, block * static_cast<off_t>(kBlock));
    if (written != static_cast<ssize_t>(kBlock)) return written < 0 ? errno : EIO;
  }
  if (::fsync(file.get()) != 0) return errno;
  return file.close();
}

}  // namespace

std::optional<Error> check_write_pattern(const std::string& folder, std::vector<std::string>& warnings) {
  const std::string name = fmt::format("{}/{}{}", folder, storage::kObjectProbe, storage::random_suffix());
  ProbeFile file("probe", name, warnings), other("probe", name + "-new", warnings);
  const auto refused = [&](int error, const char* what) -> std::optional<Error> {
    if (error == 0) return std::nullopt;
    Error refusal = errno_error(error, fmt::format("{} {}", what, name));
    refusal.details = "the run does this with its own files";
    refusal.suggestion =
        "use a file system that takes it (mountpoint-s3: --allow-overwrite helps in part), or, of a bucket, the bucket "
        "itself: object s3://BUCKET/PREFIX";
    return refusal;
  };
  if (auto error = refused(file.create(0600), "create")) return error;
  if (auto error = refused(write_blocks(name, 0, {2, 0, 1}), "write out of order")) return error;
  if (auto error = refused(write_blocks(name, O_CREAT | O_TRUNC, {0}), "write again over")) return error;
  if (auto error = refused(other.create(0600, "new"), "create another file beside")) return error;
  const int renamed = ::rename(other.path().c_str(), name.c_str()) == 0 ? 0 : errno;
  return refused(renamed, "rename another file over");
}

std::vector<Error> check_write_access(storage::Store& store, uint64_t part_bytes) {
  auto session = store.open_probe_session();
  if (!session) return {std::move(session.error())};
  return RequestProbe(store, **session).run(part_bytes);
}

Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store) {
  auto session = store.open_probe_session();
  if (!session) return fail(std::move(session.error()));
  if (Status there = reach_bucket(**session); !there) return fail(std::move(there.error()));
  auto page = (*session)->list({}, {});
  if (!page) return fail(std::move(page.error()));
  return std::move(page->objects);
}

}  // namespace mlps::gates
