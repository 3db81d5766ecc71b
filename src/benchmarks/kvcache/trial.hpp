#pragma once

#include <memory>
#include <vector>

#include "benchmarks/kvcache/io_trace.hpp"
#include "benchmarks/kvcache/mover.hpp"
#include "benchmarks/kvcache/run.hpp"
#include "benchmarks/kvcache/simulation.hpp"

namespace mlps::kvcache {

struct Trial;

/// One rank in a trial: its simulation, its completions, and the way of its operations to the movers. Used by the
/// rank's thread.
class Rank final : public EntryIo {
 public:
  /// `folder`: what stands before the names of its entries.
  Rank(uint32_t number, std::string folder, bool is_replay, Trial& trial, IoTrace* io_trace)
      : port(number, std::move(folder)), is_replay_(is_replay), io_trace_(io_trace), trial_(trial) {}

  void start(EntryOp& op) override;
  void remove(Tier tier, const std::string& name) override;
  /// Gives what was started and removed to the movers, and says so to the simulation. To be called before the thread
  /// waits.
  void hand_over();
  /// The thread looks anew what has completed and what is due.
  void begin_round();
  /// Takes what has completed; what did so after `end` counts as late.
  void take_completions(Nanos end);
  /// The window is over: what is under way is given up, and its bytes inside the window count. Returns when nothing is
  /// under way any more, or the run has failed.
  void close(Nanos end, const world::Failure& failure);

  Port port;
  std::unique_ptr<Simulation> simulation;

 private:
  uint64_t under_way_ = 0;
  std::vector<EntryOp*> started_;                       // and not handed over
  std::vector<std::pair<Tier, std::string>> removals_;  // likewise
  const bool is_replay_;
  Nanos round_cpu_ns_ = 0, last_round_cpu_ns_ = 0;  // the thread's processor time when they began; of a replay
  IoTrace* const io_trace_;
  Trial& trial_;
};

/// The window of one trial on this host: what moves entries, and each rank's simulation.
struct Trial {
  std::unique_ptr<storage::Store> memory_store;
  std::vector<std::unique_ptr<Rank>> ranks;
  std::unique_ptr<Mover> storage, memory;  // end before the ranks, whose operations they hold
};

/// Makes the ranks and the movers of a trial on the ranks of this host, from `first_rank` on: one for each of
/// `folders`, which stand before the names of their entries.
Result<std::unique_ptr<Trial>> make_trial(const RunRequest& request, size_t option, uint32_t first_rank,
                                          const std::vector<std::string>& folders, world::Failure& failure,
                                          io::SharedSeries* series, IoTrace* io_trace);

}  // namespace mlps::kvcache
