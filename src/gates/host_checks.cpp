#include "gates/host_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/units.hpp"
#include "gates/access.hpp"
#include "gates/folder.hpp"
#include "gates/job_facts.hpp"
#include "gates/memory.hpp"
#include "gates/separation.hpp"

namespace mlps::gates {

Opening HostChecks::open(std::vector<std::string>& warnings, std::optional<ProbeFile>& probe) {
  Opening opening;
  if (request_.store == nullptr) return opening;
  if (request_.store->traits().file_system) {
    const std::string& path = request_.store->root().path();
    const Status there = writes() ? make_folder(path, request_.folder_word, request_.new_folders, made_)
                                  : find_folder(path, request_.folder_word);
    if (!there) findings_.failures.push_back(there.error());
    opening.folder_there = there.has_value();
  }
  if (!opening.folder_there) return opening;
  if (!writes()) {
    open_to_read(opening);
  } else if (needs_mark()) {
    take_mark(make_mark(request_.store->root().path(), warnings, probe), opening);
  }
  return opening;
}

void HostChecks::take_mark(Result<SharedMark> mark, Opening& opening) {
  if (mark) {
    opening.mark = std::move(*mark);
  } else {
    findings_.failures.push_back(std::move(mark.error()));
  }
}

void HostChecks::open_to_read(Opening& opening) {
  if (!request_.store->traits().holds_objects) return;
  const auto objects = check_read_access(*request_.store);
  if (!objects) findings_.failures.push_back(objects.error());
  if (!objects || !needs_mark()) return;
  // A hidden file may be a probe file, which can vanish at any moment. Without any other file the run itself reports
  // that it has nothing to read.
  const auto file = std::find_if(objects->begin(), objects->end(), [](const storage::ObjectInfo& object) {
    return object.name[object.name.rfind('/') + 1] != '.';
  });
  if (file != objects->end()) take_mark(mark_of(request_.store->root().path(), file->name), opening);
}

bool HostChecks::needs_mark() const {
  return request_.store->traits().file_system && distinct_hosts(transport_.members()).size() > 1;
}

void HostChecks::check(const Opening& opening) {
  if (request_.store != nullptr) check_store(opening);
  if (is_process_0() && !request_.results_dir.empty()) check_results_room();
  findings_.buffer_bytes = request_.buffer_bytes;
  HostMemory memory;
  look_at_memory(memory);
  findings_.available_bytes = memory.available_bytes;
  findings_.available_by = std::move(memory.available_by);
  if (!findings_.available_bytes) {
    findings_.warnings.emplace_back("no MemAvailable in /proc/meminfo: available memory was not checked");
  }
}

void HostChecks::check_store(const Opening& opening) {
  storage::Store& store = *request_.store;
  const storage::StoreTraits traits = store.traits();
  // A folder that isn't the right one must not be written to, and what failed once would fail again.
  const bool usable = is_process_0() ? findings_.failures.empty() : sees_folder(opening);
  if (traits.holds_objects && usable) {
    if (writes()) {
      auto failures = check_write_access(store, part_bytes());
      if (failures.empty() && traits.file_system) {
        if (auto refusal = check_write_pattern(store.root().path(), findings_.warnings)) failures.push_back(*refusal);
      }
      std::move(failures.begin(), failures.end(), std::back_inserter(findings_.failures));
    } else if (!is_process_0()) {
      const auto objects = check_read_access(store);
      if (!objects) findings_.failures.push_back(objects.error());
    }
  }
  if (writes()) check_capacity();
  if (is_process_0() && traits.file_system && opening.folder_there && !request_.results_dir.empty()) check_separation();
}

// Returns the largest part of an object that is uploaded in several; 0 if there is none.
uint64_t HostChecks::part_bytes() const {
  if (request_.largest_object_bytes == 0 || request_.store->traits().file_system) return 0;
  storage::ObjectSpec spec;
  spec.name = "probe";
  spec.size_bytes = request_.largest_object_bytes;
  spec.part_bytes = request_.wanted_part_bytes.value_or(request_.store->traits().part_bytes);
  const auto object = request_.store->object(std::move(spec));
  return object->part_count() > 1 ? object->part_bytes() : 0;
}

// For processes other than 0. Adds the failure if the folder can't be used, unless process 0 reports the same.
bool HostChecks::sees_folder(const Opening& opening) {
  if (!request_.store->traits().file_system) return true;
  const std::string& path = request_.store->root().path();
  if (opening.mark) {
    auto error = look_for(*opening.mark, path, transport_.members().front().host, request_.visible_within_ns,
                          transport_.failure(), findings_.warnings);
    if (!error) return true;
    findings_.failures.push_back(std::move(*error));
    return false;
  }
  const Status there = find_folder(path, request_.folder_word);
  if (there) return true;
  const bool reported_by_process_0 =
      writes() && !opening.folder_there && there.error().code == ErrorCode::kPathNotFound;
  if (!reported_by_process_0) findings_.failures.push_back(there.error());
  return false;
}

void HostChecks::check_capacity() {
  auto capacity = request_.store->capacity();
  if (!capacity) {
    findings_.failures.push_back(std::move(capacity.error()));
    return;
  }
  // Every process must be able to query the capacity; all have the same storage (CAP-02), so only process 0 judges it.
  if (!is_process_0()) return;
  if (*capacity) {
    judge_capacity(**capacity);
    return judge_free_files((*capacity)->measured_at);
  }
  if (!request_.store->traits().file_system) return;
  findings_.warnings.push_back(fmt::format("CAP-01: the file system of {} doesn't tell its free space: not checked",
                                           request_.store->root().path()));
}

void HostChecks::judge_capacity(const storage::Capacity& capacity) {
  const uint64_t available = capacity.available_bytes;
  uint64_t required = request_.bytes_to_write;
  if (available >= required) return;
  const uint64_t in_place = bytes_in_place();
  required -= in_place;
  if (available >= required) return;
  // The four lines are fixed: scripts look for them.
  findings_.failures.push_back(
      {ErrorCode::kDiskFull,
       fmt::format("CAP-01: insufficient disk space at {}\n  available_bytes: {}\n  required_bytes:  {}\n  deficit:  "
                   "       {}",
                   capacity.measured_at, available, required, required - available),
       in_place == 0 ? std::string()
                     : fmt::format("{} bytes are to be written, {} of them over what is there", request_.bytes_to_write,
                                   in_place),
       "free space, choose another folder, or write less"});
}

/// Returns how many of the bytes to be written take the place of others; 0 where that can't be told.
uint64_t HostChecks::bytes_in_place() {
  if (!request_.bytes_in_place) return 0;
  const Result<uint64_t> found = request_.bytes_in_place();
  if (!found) findings_.failures.push_back(found.error());
  return std::min(found.value_or(0), request_.bytes_to_write);
}

/// Many small files may take all inodes of a file system that has room for their bytes.
void HostChecks::judge_free_files(const std::string& folder) {
  const auto available = free_files(folder);
  if (!available || *available >= request_.files_to_write) return;
  const double new_share =
      1 - static_cast<double>(bytes_in_place()) / static_cast<double>(std::max<uint64_t>(request_.bytes_to_write, 1));
  const auto required = static_cast<uint64_t>(static_cast<double>(request_.files_to_write) * new_share);
  if (*available >= required) return;
  findings_.failures.push_back(
      {ErrorCode::kDiskFull,
       fmt::format("CAP-01: the file system of {} has {} free inodes, and {} files are to be written", folder,
                   grouped(*available), grouped(required)),
       {},
       "choose a file system that was made for so many files (df -i), or write fewer"});
}

void HostChecks::check_results_room() {
  const auto room = free_bytes(request_.results_dir);
  if (!room || *room >= request_.results_bytes) return;
  findings_.failures.push_back(
      {ErrorCode::kDiskFull,
       fmt::format("the results folder {} has room for {}, less than the {} that the result files may take",
                   request_.results_dir, human_bytes(*room), human_bytes(request_.results_bytes)),
       {},
       "free space there, or give another --results-dir: a result that can't be stored would be lost after the run"});
}

void HostChecks::check_separation() {
  auto finding = compare_file_systems(request_.store->root().path(), request_.results_dir);
  std::optional<Error> error;
  if (finding) {
    error = separation_error(*finding);
    separation_ = std::move(*finding);
  } else {
    error = std::move(finding.error());
  }
  if (!error) return;
  if (!request_.separation_waived_by.empty()) {
    const bool is_shared = separation_ && separation_->same_filesystem;
    findings_.warnings.push_back(fmt::format("{}; allowed by {}",
                                             is_shared ? "data and results share a file system" : error->message,
                                             request_.separation_waived_by));
  } else {
    findings_.failures.push_back(std::move(*error));
  }
}

}  // namespace mlps::gates
