#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "session/interrupt.hpp"
#include "workloads/values.hpp"
#include "world/host_list.hpp"
#include "world/launched_by.hpp"
#include "world/transport.hpp"
#include "world/world.hpp"

namespace mlps::cli {

/// A part of the plan that all processes must have alike.
struct PlanPart {
  std::string name;     ///< in words, for the error: "the order of reads"
  world::Bytes packed;  ///< compared by its hash
};

/// Returns the configuration for a PlanPart.
world::Bytes packed_values(const workloads::Values& values);

/// Holds the answer of one process when all are asked whether to go on.
struct Opinion {
  std::vector<uint64_t> parts;  ///< hashes
  std::vector<Error> errors;
};

/// Returns the errors of all processes, each once and with the hosts that have it, or, if there are none, the first
/// difference between the plans; `names` are those of the parts.
std::vector<Error> objections(const std::vector<Opinion>& opinions, const std::vector<std::string>& names,
                              const std::vector<world::Member>& members);

/// The processes that carry out one command together: this one alone, or one on each host, joined by MPI. Process 0
/// alone prints, records and decides; the others log nothing to the console. To be made before the program starts any
/// other thread. Used by one thread.
class ProcessGroup {
 public:
  /// Makes a group of this process alone, which starts no thread and sends no message.
  ProcessGroup();
  /// Joins the processes that a launcher started. Returns when all have met, or have not: see transport().failure().
  explicit ProcessGroup(const world::Launched& launched);
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  world::Transport& transport() { return *transport_; }
  InterruptWatch& interrupts() { return interrupts_; }
  bool is_alone() const { return transport_->size() == 1; }
  bool is_process0() const { return index_ == 0; }
  /// Returns "host a", and nothing in a group of one.
  std::string host() const;
  /// Returns "host a: " to stand before facts of this host only, and nothing in a group of one.
  std::string host_prefix() const;

  /// Goes on (returns nothing) only if no process has an error and all have the same plan. Otherwise process 0 reports
  /// everything that is wrong, naming the hosts, and every process gets the status to end with. Collective.
  std::optional<int> check_consensus(const std::vector<Error>& errors, const std::vector<PlanPart>& plan = {});
  /// Gives every process the text or number of process 0. Returns the status to end with if the group has failed.
  /// Collective.
  std::optional<int> broadcast(std::string& text);
  std::optional<int> broadcast(uint64_t& number);

  /// Makes process 0 log the warnings that the others have had since the last call. Before a run all warn alike of the
  /// same settings: then `leave_out_known` leaves out what process 0 has logged itself. Collective, unless the group
  /// has failed.
  void share_warnings(bool leave_out_known);

  /// Returns the ranks of this process.
  world::LocalRanks ranks_of(const std::vector<world::HostShare>& shares);

  /// Returns the status of a group that has failed; process 0 reports why, unless it has already.
  int failure_status();
  /// Makes end() call `say` with the status, in one process, for the command that started this group.
  void on_end(std::function<void(int status)> say) { say_ = std::move(say); }
  /// Ends the command, in every process. Leaves in order after a command that came to its end, passed or not, and
  /// returns the status. After a failure that the processes share it ends this process, and with it the group, and
  /// doesn't return.
  int end(int status);

 private:
  bool has_met() const { return !transport_->members().empty(); }
  bool speaks();
  void say(int status);

  InterruptWatch interrupts_;
  std::unique_ptr<world::Transport> transport_;
  uint32_t index_ = 0;
  std::function<void(int)> say_;
  size_t warnings_shared_ = 0;
  std::optional<InterruptWatch::Attachment> attachment_;  // only while others would wait for this process
};

}  // namespace mlps::cli
