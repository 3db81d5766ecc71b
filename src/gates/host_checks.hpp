#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gates/findings.hpp"
#include "gates/gates.hpp"
#include "gates/shared_folder.hpp"

namespace mlps::gates {

/// What process 0 says when it has made the folder ready, and the others wait for.
struct Opening {
  bool folder_there = true;  ///< also for stores without folders
  std::optional<SharedMark> mark;
};

world::Bytes pack(const Opening& opening);
/// E503 for bytes that are no opening.
Result<Opening> unpack_opening(std::string_view bytes);

/// What a process checks by itself. Not thread-safe.
class HostChecks {
 public:
  /// Everything must live as long.
  HostChecks(const Request& request, world::Transport& transport) : request_(request), transport_(transport) {}

  /// Process 0, before all others: makes the folder, and with several hosts the mark of CAP-02, whose probe goes with
  /// `probe`; a run that only reads lists.
  Opening open(std::vector<std::string>& warnings, std::optional<ProbeFile>& probe);

  /// Every process, then. A failure of the job ends the wait for what process 0 has made.
  void check(const Opening& opening);

  const Findings& findings() const { return findings_; }
  /// Of process 0.
  const std::optional<SeparationFinding>& separation() const { return separation_; }

 private:
  bool leads() const { return transport_.index() == 0; }
  bool writes() const { return request_.bytes_to_write > 0; }
  void open_to_write(std::vector<std::string>& warnings, std::optional<ProbeFile>& probe, Opening& opening);
  void open_to_read(Opening& opening);
  void check_store(const Opening& opening);
  bool finds_folder(const Opening& opening);
  bool compares_folders() const;  // CAP-02 applies
  void check_capacity();
  void check_separation();

  const Request& request_;
  world::Transport& transport_;
  Findings findings_;
  std::optional<SeparationFinding> separation_;
};

}  // namespace mlps::gates
