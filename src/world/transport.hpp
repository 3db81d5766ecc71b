#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "world/world.hpp"

namespace mlps::world {

/// Any bytes, as processes send them to each other.
using Bytes = std::string;

/// How far a host's clocks are ahead of host 0's, from the ping-pong exchange with the least delay. The truth lies
/// within +-error_ns, however unevenly the delay is divided between the two directions.
struct ClockOffset {
  Nanos monotonic_ns = 0;
  int64_t wall_ns = 0;
  Nanos error_ns = 0;
};

/// A process of the job, one per host.
struct Member {
  std::string host;
  int64_t pid = 0;
  ClockOffset clock;
};

enum class Reduction { kSum, kMax };

/// The connection of the processes of a job, one per host. Collective calls (barrier, broadcast, gather, reduce, close)
/// must come in the same order in every process. Any thread may call; calls of one process run one after the other.
///
/// No call waits for ever: it fails at once when a failure was raised anywhere, when a process dies or falls silent,
/// and when the others don't make the call within its limit. The error is then that of failure().first().
class Transport {
 public:
  virtual ~Transport() = default;

  virtual uint32_t index() const = 0;  ///< of this process; process 0 prints, records and decides
  virtual uint32_t size() const = 0;   ///< processes in the job
  /// Returns every process, by index; the same list in all of them.
  virtual const std::vector<Member>& members() const = 0;

  virtual Status barrier() = 0;
  /// Gives every process the bytes of process 0.
  virtual Status broadcast(Bytes& bytes) = 0;
  /// Returns, in process 0, the bytes of every process by index; elsewhere nothing.
  virtual Result<std::vector<Bytes>> gather(Bytes mine) = 0;
  /// Combines value by value over the processes; all get the result. Sums are added in an order that depends only on
  /// the number of processes.
  virtual Status reduce(Reduction reduction, std::span<double> values) = 0;

  /// Whether a process was given up as dead. Always false before a failure.
  virtual bool lost(uint32_t process) = 0;

  /// The failure of the job: an error raised here is raised in every process within a second, with host and rank before
  /// its message.
  Failure& failure() { return *failure_; }

  /// Ends the connection; to be called once in every process, and no call may follow. After a failure process 0 calls
  /// it when it has written its results: the others wait for that, for `limit_ns` at most.
  virtual Status close(Nanos limit_ns) = 0;

  /// Ends this process at once with `exit_status`, and in process 0 of a failed job the whole job with it, so that the
  /// launcher ends with that status whatever became of the others. For a job that failed; never returns.
  [[noreturn]] virtual void end_job(int exit_status) = 0;

 protected:
  // Shared with the MPI thread, which outlives this if a call of the MPI library hangs.
  const std::shared_ptr<Failure> failure_ = std::make_shared<Failure>();
};

/// Returns, after a failure, the indices of the dead processes whose open uploads this process has to abort: all of
/// them in the first process that is left, none in the others and before a failure. Not collective; any thread may
/// call.
std::vector<uint32_t> processes_to_clean_up_for(Transport& transport);

/// One process alone: nothing is sent, and nothing started.
class LocalTransport final : public Transport {
 public:
  LocalTransport();

  uint32_t index() const override { return 0; }
  uint32_t size() const override { return 1; }
  const std::vector<Member>& members() const override { return members_; }
  Status barrier() override { return state(); }
  Status broadcast(Bytes&) override { return state(); }
  Result<std::vector<Bytes>> gather(Bytes mine) override;
  Status reduce(Reduction, std::span<double>) override { return state(); }
  bool lost(uint32_t) override { return false; }
  Status close(Nanos) override { return state(); }
  [[noreturn]] void end_job(int exit_status) override;

 private:
  Status state() const;

  std::vector<Member> members_;
};

/// Time limits between processes.
struct LinkLimits {
  Nanos heartbeat_ns = 1'000'000'000;
  Nanos lost_after_ns = 6'000'000'000;                ///< without a sign of life a process is dead
  Nanos start_ns = 60'000'000'000;                    ///< until every process has introduced itself
  Nanos call_ns = 6 * 3600 * int64_t{1'000'000'000};  ///< a collective call: the wait for the slowest host's work
};

}  // namespace mlps::world
