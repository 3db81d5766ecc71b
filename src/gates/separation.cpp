#include "gates/separation.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/clock.hpp"
#include "gates/probe_file.hpp"
#include "storage/probe_name.hpp"
#include "world/host_facts.hpp"

namespace mlps::gates {
namespace {

constexpr std::string_view kSeparationGate = "CAP-03";
constexpr const char* kOverride =
    "give a results directory and a folder that can both be written, or take the risk with "
    "--skip-fs-separation-gate";

tl::unexpected<Error> cant_probe(int errno_value, const std::string& action) {
  // mlpstorage 3.0 reports E402 whatever the errno.
  return fail(ErrorCode::kPermissionDenied, errno_error(errno_value, "CAP-03: " + action).message, {}, kOverride);
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

Result<SeparationFinding> compare_file_systems(const std::string& checkpoint_folder, const std::string& results_dir,
                                               std::vector<std::string>& warnings) {
  const std::string name = std::string(storage::kSeparationProbe) + storage::random_suffix();
  ProbeFile probe(kSeparationGate, fmt::format("{}/{}", checkpoint_folder, name), warnings);
  // Another name than the probe's, so that one folder given twice is found to be one and not an EEXIST.
  ProbeFile link(kSeparationGate, fmt::format("{}/{}-link", results_dir, name), warnings);
  if (const int error = probe.create(0600); error != 0) return cant_probe(error, "create " + probe.path());
  const int error = link.link_from(probe);
  if (error != 0 && error != EXDEV) return cant_probe(error, fmt::format("link {} to {}", probe.path(), link.path()));

  SeparationFinding finding;
  finding.checkpoint_path = checkpoint_folder;
  finding.results_path = results_dir;
  finding.checkpoint_realpath = real_path(checkpoint_folder);
  finding.results_realpath = real_path(results_dir);
  finding.same_filesystem = error == 0;
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
