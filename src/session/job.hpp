#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "session/interrupt.hpp"
#include "world/host_list.hpp"
#include "world/launched_by.hpp"
#include "world/transport.hpp"
#include "world/world.hpp"

namespace mlps::cli {

/// The processes that carry out one command together: this one alone, or one on each host, joined by MPI. Process 0
/// leads: it alone prints, records and decides; the others log nothing to the console. Make it before any other thread
/// of the program starts.
class Job {
 public:
  /// Alone: no thread, no message.
  Job();
  /// One of several that a launcher started. Returns when all have met, or have not: see transport().failure().
  explicit Job(const world::Launched& launched);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  world::Transport& transport() { return *transport_; }
  InterruptWatch& interrupts() { return interrupts_; }
  bool is_alone() const { return transport_->size() == 1; }
  bool leads() const { return index_ == 0; }
  /// Before what is true of this host only: "host a: " in a job, nothing alone.
  std::string whose() const;

  /// Collective: goes on only if no process has an error and all have the same `plan`. Otherwise process 0 reports all
  /// that went wrong, naming the hosts, and every process gets the status to end with.
  std::optional<int> agree(const std::vector<Error>& errors, std::string_view plan = {});
  /// Collective: process 0's text or number, everywhere. The status to end with if the job has failed.
  std::optional<int> share(std::string& text);
  std::optional<int> share(uint64_t& number);

  /// Collective, unless the job has failed: process 0 logs what the others have warned of since the last time. Before a
  /// run all warn alike of the same settings: then `leave_out_known` spares what process 0 has said itself.
  void share_warnings(bool leave_out_known);

  /// The ranks of this process.
  world::LocalRanks ranks_of(const std::vector<world::HostShare>& shares);

  /// The status of a job that has failed; process 0 reports why, unless it has already.
  int failed();
  /// From now on end() tells the command that started this job, too: `say` is called with the status, in one process.
  void report_end(std::function<void(int status)> say) { say_ = std::move(say); }
  /// The end, in every process: leaves in order after a command that came to its end, passed or not. After a failure
  /// that the processes share it ends this process, and with it the job, and doesn't return.
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
