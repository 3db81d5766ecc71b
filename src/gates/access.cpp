#include "gates/access.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/descriptor.hpp"
#include "gates/probe_file.hpp"
#include "payload/payload.hpp"
#include "storage/probe_name.hpp"

namespace mlps::gates {
namespace {

// Not a multiple of any block size: a store that only moved whole blocks would lose the tail.
constexpr size_t kProbeBytes = 4099;

Error in_probe(Error error, const char* step, const std::string& where) {
  error.message = fmt::format("{} the probe object at {}: {}", step, where, error.message);
  return error;
}

void put_and_compare(storage::Session& session, const std::string& name, const std::string& where,
                     std::vector<Error>& failures) {
  std::vector<std::byte> content(kProbeBytes);
  payload::Source(kProbeBytes, name).fill(0, content);
  if (Status put = session.put(name, content); !put) {
    failures.push_back(in_probe(put.error(), "write", where));
    return;
  }
  auto back = session.get(name, 0, content.size());
  if (!back) {
    failures.push_back(in_probe(back.error(), "read", where));
  } else if (*back != content) {
    failures.push_back({ErrorCode::kDataMismatch,
                        fmt::format("the probe object at {} reads back other bytes than were written", where),
                        fmt::format("{} of {} bytes came back", back->size(), content.size()),
                        "the storage, or something between, changes data: no result of it would count"});
  }
}

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

std::vector<Error> check_write_access(storage::Store& store) {
  const std::string name = std::string(storage::kObjectProbe) + storage::random_suffix();
  const std::string where = store.root().join(name).to_string();
  auto session = store.open_session(1);
  if (!session) return {std::move(session.error())};
  std::vector<Error> failures;
  put_and_compare(**session, name, where, failures);
  // Also after a failed write, which may have left an object; then only the first failure is reported.
  if (Status removed = (*session)->remove(name); !removed && failures.empty()) {
    failures.push_back(in_probe(removed.error(), "delete", where));
  }
  return failures;
}

Result<std::vector<storage::ObjectInfo>> check_read_access(storage::Store& store) {
  auto session = store.open_session(1);
  if (!session) return fail(std::move(session.error()));
  auto page = (*session)->list({}, {});
  if (!page) return fail(std::move(page.error()));
  return std::move(page->objects);
}

}  // namespace mlps::gates
