#include "cli/try/place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/log.hpp"
#include "base/mount_table.hpp"
#include "base/units.hpp"
#include "cli/try/words.hpp"
#include "flags/text.hpp"
#include "gates/folder.hpp"
#include "gates/memory.hpp"
#include "storage/open.hpp"
#include "world/proc_text.hpp"

namespace mlps::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPartOfRoom = 4;
// Of an object store nobody knows how much room it has.
constexpr uint64_t kObjectRoom = 64 * kGiB;
constexpr uint64_t kLeastRoom = 64 * kMiB;

std::string random_name() {
  std::random_device device;
  return fmt::format("{}{:08x}{:08x}", kTryFolder, device(), device());
}

bool is_memory(const std::string& folder) {
  struct statfs facts {};
  if (::statfs(folder.c_str(), &facts) != 0) return false;
  return facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC;
}

std::string file_system_type(const std::string& folder) {
  struct statx facts {};
  if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_BASIC_STATS | STATX_MNT_ID, &facts) != 0) return "files";
  const auto mounts = world::read_text("/proc/self/mountinfo");
  const auto mount = mounts ? mount_of(*mounts, facts.stx_mnt_id) : std::nullopt;
  return mount ? mount->type : "files";
}

uint64_t room_of(const std::string& folder, bool memory) {
  uint64_t room = gates::free_bytes(folder).value_or(kObjectRoom);
  if (memory) {
    gates::HostMemory host;
    gates::look_at_memory(host);
    room = std::min(room, host.available_bytes.value_or(room));
  }
  return room / kPartOfRoom;
}

// A `try` that was killed could not remove what it stored, and nobody can tell it from one that runs.
void warn_of_others(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(kTryFolder)) continue;
    log::warning("{} is of another try, which runs or was killed; if it was: rm -r {}", entry.path().string(),
                 shell_quoted(entry.path().string()));
  }
}

Result<TryPlace> files_place(const Location& location, const Environment& environment) {
  const std::string& folder = location.path();
  if (Status there = gates::find_folder(folder, "place"); !there) {
    there.error().suggestion = "name a folder that is there, on the storage that the question is about";
    return fail(std::move(there.error()));
  }
  TryPlace place;
  place.memory = is_memory(folder);
  const auto direct = storage::open_store(Location(Scheme::kDirect, "", folder), {}, environment);
  if (!direct && location.scheme() == Scheme::kDirect) return fail(direct.error());
  place.direct = direct.has_value();
  place.room_bytes = room_of(folder, place.memory);
  if (place.room_bytes < kLeastRoom) {
    return fail(ErrorCode::kDiskFull,
                fmt::format("{}: {} free are too little to try", folder, human_bytes(place.room_bytes * kPartOfRoom)),
                {}, "make room for 256 MiB, or name another place");
  }
  place.shown = fmt::format("{} ({}, {})", folder, file_system_type(folder),
                            place.direct ? "O_DIRECT" : "no O_DIRECT: pages are dropped before they are read");
  warn_of_others(folder);
  place.scratch = Location(Scheme::kFile, "", folder).join(random_name());
  if (::mkdir(place.scratch.path().c_str(), 0755) != 0) {
    return fail(errno_error(errno, "create " + place.scratch.path()));
  }
  return place;
}

}  // namespace

std::string TryPlace::folder(std::string_view part) const {
  return is_null() ? "null://" : scratch.join(part).to_string();
}

std::vector<std::string> TryPlace::words() const {
  if (scratch.is_object_store()) return {"object"};
  return direct ? std::vector<std::string>{"file", "--o-direct"} : std::vector<std::string>{"file"};
}

Result<TryPlace> open_try_place(const std::string& text, const Environment& environment) {
  auto location = parse_location(text);
  // Of az:// variables may name the account.
  if (text.find("://") != std::string::npos && (!location || location->is_object_store())) {
    location = checkpoint_location(text, AccessProtocol::kObject, false, environment);
  }
  if (!location) return fail(location.error());
  if (location->is_file_system()) return files_place(*location, environment);
  TryPlace place;
  place.shown = location->to_string();
  place.room_bytes = kObjectRoom;
  if (location->scheme() == Scheme::kNull) return place;
  // Settings and credentials that are missing are told before anything begins.
  if (const auto store = storage::open_store(*location, {}, environment); !store) return fail(store.error());
  place.scratch = location->join(random_name());
  return place;
}

}  // namespace mlps::cli
