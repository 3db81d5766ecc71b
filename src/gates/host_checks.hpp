#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gates/findings.hpp"
#include "gates/folder.hpp"
#include "gates/gates.hpp"
#include "gates/shared_folder.hpp"

namespace mlps::gates {

/// The message that process 0 broadcasts once it has prepared the folder; the other processes wait for it.
struct Opening {
  bool folder_there = true;  ///< true also for stores without folders
  std::optional<SharedMark> mark;
};
constexpr auto fields_of(Of<Opening>) {
  return std::tuple(kept("", &Opening::folder_there), kept("", &Opening::mark));
}
static_assert(lists_every_member<Opening>());

/// The checks of one process. Not thread-safe.
class HostChecks {
 public:
  /// Keeps references; `request` and `transport` must outlive this object.
  HostChecks(const Request& request, world::Transport& transport) : request_(request), transport_(transport) {}

  /// Prepares the folder, in process 0, before the checks of all: creates it, and with several hosts the mark of
  /// CAP-02, whose file is removed with `probe`. For a run that only reads it lists the folder.
  Opening open(std::vector<std::string>& warnings, std::optional<ProbeFile>& probe);

  /// Runs the checks, in every process. Waiting for the mark of process 0 ends at a failure of the process group.
  void check(const Opening& opening);

  /// Removes the folders that open() has made, in process 0: the run is not to be.
  void take_back_folders() const { remove_made_folders(made_); }

  const Findings& findings() const { return findings_; }
  /// The finding of CAP-03, in process 0 only.
  const std::optional<SeparationFinding>& separation() const { return separation_; }

 private:
  bool is_process_0() const { return transport_.index() == 0; }
  bool writes() const { return request_.bytes_to_write > 0; }
  void take_mark(Result<SharedMark> mark, Opening& opening);
  void open_to_read(Opening& opening);
  void check_store(const Opening& opening);
  bool sees_folder(const Opening& opening);
  bool needs_mark() const;  // gate CAP-02 applies
  uint64_t part_bytes() const;
  void check_capacity();
  void judge_capacity(const storage::Capacity& capacity);
  void judge_free_files(const std::string& folder);
  uint64_t bytes_in_place();
  void check_results_room();
  void check_separation();

  const Request& request_;
  world::Transport& transport_;
  Findings findings_;
  std::vector<std::string> made_;  // folders, outermost first
  std::optional<SeparationFinding> separation_;
};

}  // namespace mlps::gates
