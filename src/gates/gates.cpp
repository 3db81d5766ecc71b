#include "gates/gates.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <utility>

#include "gates/memory.hpp"
#include "gates/separation.hpp"
#include "gates/storage_probe.hpp"

namespace mlps::gates {
namespace {

// The folder is there, or is made now, with at most `levels` of it missing.
Status make_folder(const std::string& folder, const std::string& word, uint32_t levels) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return fail(errno_error(ENOTDIR, fmt::format("use {} {}", word, folder)));
  }
  if (errno != ENOENT) return fail(errno_error(errno, fmt::format("use {} {}", word, folder)));
  const std::string parent = std::filesystem::path(folder).parent_path().string();
  if (levels > 1) {
    if (Status made = make_folder(parent, word, levels - 1); !made) return made;
  }
  if (::mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return {};
  if (errno == ENOENT) {
    return fail(ErrorCode::kPathNotFound, fmt::format("make {} {}: no folder {}", word, folder, parent), {},
                fmt::format("mkdir -p {}", parent));
  }
  return fail(errno_error(errno, fmt::format("make {} {}", word, folder)));
}

// What is only read must be there.
Status find_folder(const std::string& folder, const std::string& word) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    const int reason = errno;
    Error error = errno_error(reason, fmt::format("use {} {}", word, folder));
    if (reason == ENOENT) error.suggestion = "this run only reads: give the folder that was written before";
    return fail(std::move(error));
  }
  if (!S_ISDIR(status.st_mode)) return fail(errno_error(ENOTDIR, fmt::format("use {} {}", word, folder)));
  return {};
}

void check_capacity(const Request& request, Report& report) {
  auto capacity = request.store->capacity();
  if (!capacity) {
    report.failures.push_back(std::move(capacity.error()));
    return;
  }
  if (!*capacity || (*capacity)->available_bytes >= request.bytes_to_write) return;
  const uint64_t available = (*capacity)->available_bytes;
  // The four lines are fixed: scripts look for them.
  report.failures.push_back(
      {ErrorCode::kDiskFull,
       fmt::format("CAP-01: insufficient disk space at {}\n  available_bytes: {}\n  required_bytes:  {}\n  deficit:  "
                   "       {}",
                   (*capacity)->measured_at, available, request.bytes_to_write, request.bytes_to_write - available),
       {},
       "free space, choose another folder, or write less"});
}

void check_separation(const Request& request, Report& report) {
  auto finding = probe_separation(request.store->root().path(), request.results_dir, report.warnings);
  std::optional<Error> error;
  if (finding) {
    error = separation_error(*finding);
    report.separation = std::move(*finding);
  } else {
    error = std::move(finding.error());
  }
  if (!error) return;
  if (request.separation_is_warning) {
    report.warnings.push_back(
        fmt::format("[{}] {} (--skip-fs-separation-gate)", code_name(error->code), error->message));
  } else {
    report.failures.push_back(std::move(*error));
  }
}

void check_store(const Request& request, Report& report) {
  storage::Store& store = *request.store;
  const storage::StoreTraits traits = store.traits();
  const bool writes = request.bytes_to_write > 0;
  bool folder_there = true;
  if (traits.file_system) {
    const std::string& path = store.root().path();
    const Status there =
        writes ? make_folder(path, request.folder_word, request.new_folders) : find_folder(path, request.folder_word);
    if (!there) report.failures.push_back(there.error());
    folder_there = there.has_value();
  }
  if (traits.holds_objects && folder_there) {
    auto failures = writes ? probe_writing(store, request.model_folder) : probe_reading(store, request.model_folder);
    std::move(failures.begin(), failures.end(), std::back_inserter(report.failures));
  }
  if (writes) check_capacity(request, report);
  if (traits.file_system && folder_there && !request.results_dir.empty()) check_separation(request, report);
}

}  // namespace

Report run_gates(const Request& request) {
  Report report;
  if (request.store != nullptr) check_store(request, report);
  check_memory(request, read_mem_available(), report);
  return report;
}

}  // namespace mlps::gates
