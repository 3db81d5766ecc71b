#include "results/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/clock.hpp"
#include "base/units.hpp"
#include "base/waiting.hpp"
#include "base/write_all.hpp"

namespace mlps::results {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int kClaimAttempts = 120;  // of a second each
constexpr Nanos kNanosOfMicrosecond = 1000;
constexpr size_t kPendingBytes = 256 * 1024;
constexpr uint64_t kRoomBytes = 2 * kMiB;

bool is_safe(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

tl::unexpected<Error> system_failure(const std::string& what) {
  return fail(errno_error(errno, what));
}

Status write_temporary(const std::string& path, const std::function<Status(const Sink&)>& body, Durability durability) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.is_open()) return system_failure("create " + path);
  std::string pending;
  const auto drain = [&]() -> Status {
    const Status status = write_all(file.get(), pending, "write " + path);
    pending.clear();
    return status;
  };
  const auto add = [&](std::string_view piece) -> Status {
    pending += piece;
    return pending.size() < kPendingBytes ? Status{} : drain();
  };
  if (Status status = body(add); !status) return status;
  if (Status status = drain(); !status) return status;
  if (durability == Durability::kDurable && ::fsync(file.get()) != 0) return system_failure("fsync " + path);
  if (const int error = file.close(); error != 0) return fail(errno_error(error, "close " + path));
  return {};
}

Status sync_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor handle(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.is_open()) return system_failure("open folder " + folder);
  // Some file systems don't offer fsync of folders; the rename is done all the same.
  if (::fsync(handle.get()) != 0 && errno != EINVAL) return system_failure("fsync folder " + folder);
  return {};
}

Status check_request(const RunFolderRequest& request) {
  for (const auto& [what, segment] :
       {std::pair{"mode", &request.mode}, std::pair{"orgname", &request.orgname},
        std::pair{"systemname", &request.systemname}, std::pair{"model", &request.model}}) {
    if (Status status = check_segment(what, *segment); !status) return status;
  }
  struct stat entry {};
  if (::stat(request.results_dir.c_str(), &entry) != 0) {
    Error error = errno_error(errno, fmt::format("use results directory '{}'", request.results_dir));
    if (error.code == ErrorCode::kPathNotFound)
      error.suggestion = "run `mlpstorage init` first, or correct --results-dir";
    return fail(std::move(error));
  }
  if (!S_ISDIR(entry.st_mode)) {
    return fail(ErrorCode::kPathNotFound, fmt::format("'{}' is not a directory", request.results_dir), {},
                "give --results-dir a directory");
  }
  return {};
}

Result<std::shared_ptr<Descriptor>> reserve_room(const std::string& folder) {
  std::string path = folder + "/room-XXXXXX";
  auto room = std::make_shared<Descriptor>(::mkostemp(path.data(), O_CLOEXEC));
  if (!room->is_open()) return system_failure("create a file in " + folder);
  ::unlink(path.c_str());
  const int error = ::posix_fallocate(room->get(), 0, kRoomBytes);
  if (error == 0) return room;
  return fail(errno_error(error, fmt::format("reserve {} for the record in {}", human_bytes(kRoomBytes), folder)));
}

}  // namespace

void RunFolder::release_room() const {
  if (room) room->close();
}

Status check_segment(std::string_view what, std::string_view segment) {
  const bool safe =
      !segment.empty() && segment != "." && segment != ".." && std::all_of(segment.begin(), segment.end(), is_safe);
  if (safe) return {};
  return fail(ErrorCode::kConfigInvalid,
              fmt::format("{} '{}' can't be a folder name in the results tree", what, segment), {},
              "use letters, digits, '.', '_' and '-' only, and not '.' or '..' alone");
}

Result<RunFolder> claim_run_folder(const RunFolderRequest& request) {
  if (Status status = check_request(request); !status) return fail(std::move(status.error()));
  std::error_code code;
  std::filesystem::path parent = std::filesystem::absolute(request.results_dir, code);
  if (code) return fail(errno_error(code.value(), "resolve " + request.results_dir));
  parent = parent.lexically_normal() / request.mode / request.orgname / "results" / request.systemname /
           request.benchmark / request.model;
  if (!request.index.empty()) parent /= request.index;
  if (!request.command.empty()) parent /= request.command;
  std::filesystem::create_directories(parent, code);
  if (code) return fail(errno_error(code.value(), "create folder " + parent.string()));

  for (int attempt = 0; attempt < kClaimAttempts; ++attempt) {
    const int64_t now_us = Stamp::now().wall_us;
    RunFolder folder;
    folder.run_datetime = run_stamp(now_us);
    folder.path = (parent / folder.run_datetime).string();
    if (::mkdir(folder.path.c_str(), 0755) == 0) {
      auto room = reserve_room(folder.path);
      if (!room) {
        ::rmdir(folder.path.c_str());
        return fail(std::move(room.error()));
      }
      folder.room = std::move(*room);
      return folder;
    }
    if (errno != EEXIST) return system_failure("create run folder " + folder.path);
    sleep_for((kSecondUs - now_us % kSecondUs) * kNanosOfMicrosecond);
  }
  return fail(
      ErrorCode::kInvalidStructure,
      fmt::format("no free run folder in {}: other runs took the names of {} seconds", parent.string(), kClaimAttempts),
      {}, "check the clock of this host, or use another --systemname");
}

Status write_file(const std::string& path, std::string_view text, Durability durability) {
  return write_file_piecewise(
      path, [text](const Sink& sink) { return sink(text); }, durability);
}

Status write_file_piecewise(const std::string& path, const std::function<Status(const Sink&)>& body,
                            Durability durability) {
  // The run folder belongs to one process, so its id makes the name unique; a leading dot keeps readers off.
  const std::filesystem::path target(path);
  const std::string temporary =
      (target.parent_path() / fmt::format(".{}.{}.tmp", target.filename().string(), ::getpid())).string();
  Status status = write_temporary(temporary, body, durability);
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) status = system_failure("rename to " + path);
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return durability == Durability::kDurable ? sync_folder(path) : Status{};
}

}  // namespace mlps::results
