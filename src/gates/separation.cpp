#include "gates/separation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/clock.hpp"
#include "base/mount_table.hpp"
#include "world/host_facts.hpp"
#include "world/proc_text.hpp"

namespace mlps::gates {
namespace {

constexpr const char* kOverride =
    "give a results directory and a folder that are both there, or take the risk with --skip-fs-separation-gate";

struct Place {
  uint32_t major = 0, minor = 0;
  std::optional<Mount> mount;  ///< nothing where the kernel doesn't say
};

Result<Place> place_of(const std::string& folder, std::string_view mountinfo) {
  struct statx status {};
  if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_BASIC_STATS | STATX_MNT_ID, &status) != 0) {
    // mlpstorage 3.0 reports E402 whatever the errno.
    return fail(ErrorCode::kPermissionDenied, errno_error(errno, "CAP-03: look at " + folder).message, {}, kOverride);
  }
  Place place{status.stx_dev_major, status.stx_dev_minor, std::nullopt};
  if ((status.stx_mask & STATX_MNT_ID) != 0) place.mount = mount_of(mountinfo, status.stx_mnt_id);
  return place;
}

/// Subvolumes have device numbers of their own, but one source, which is a path where it is a device.
bool have_one_source(const Place& a, const Place& b) {
  return a.mount && b.mount && a.mount->type == b.mount->type && a.mount->source == b.mount->source &&
         a.mount->source.starts_with('/');
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

Result<SeparationFinding> compare_file_systems(const std::string& checkpoint_folder, const std::string& results_dir) {
  const std::string mountinfo = world::read_text("/proc/self/mountinfo").value_or("");
  const Result<Place> data = place_of(checkpoint_folder, mountinfo);
  if (!data) return fail(data.error());
  const Result<Place> results = place_of(results_dir, mountinfo);
  if (!results) return fail(results.error());
  SeparationFinding finding;
  finding.checkpoint_path = checkpoint_folder;
  finding.results_path = results_dir;
  finding.checkpoint_realpath = real_path(checkpoint_folder);
  finding.results_realpath = real_path(results_dir);
  finding.same_filesystem =
      (data->major == results->major && data->minor == results->minor) || have_one_source(*data, *results);
  finding.probed_at = iso_utc(Stamp::now().wall_us);
  finding.probed_by_host = world::host_name();
  return finding;
}

std::optional<Error> separation_error(const SeparationFinding& finding) {
  if (!finding.same_filesystem) return std::nullopt;
  return Error{ErrorCode::kInvalidStructure,
               fmt::format("CAP-03: {} and results folder {} are on the same file system", finding.checkpoint_path,
                           finding.results_path),
               "writing results would disturb the storage that is measured (rules 3.4.2 and 4.4.2)",
               "put one of them on another file system, or take the risk with --skip-fs-separation-gate"};
}

}  // namespace mlps::gates
