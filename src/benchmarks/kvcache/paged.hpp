#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "benchmarks/kvcache/block_cache.hpp"
#include "benchmarks/kvcache/simulation.hpp"
#include "benchmarks/kvcache/trace.hpp"

namespace mlps::kvcache {

/// The replay of a trace on a cache of blocks. A request looks up its blocks in order until the first that is absent,
/// loads those before it, all at once, computes the rest at a stated rate, and stores the blocks that were absent,
/// which nobody waits for. A block counts as present from the moment a request stores it: one that is asked for while
/// it is being written is waited for. So which blocks are hits is a function of the trace alone, whatever the storage
/// does.
class PagedEngine final : public Simulation {
 public:
  /// `reader` stands at its first request.
  PagedEngine(const PagedSettings& settings, const Model& model, uint32_t tensor_parallel, uint64_t max_queue,
              std::unique_ptr<TraceReader> reader, EntryIo& io);
  ~PagedEngine() override;

  void prepare(Nanos now) override;
  void begin(Nanos now) override;
  bool look_ahead() override;
  void handed_over(Nanos now, Nanos busy) override;
  RankTrial finish() override;
  bool is_done() const override { return ended_ && ahead_.empty() && tasks_.empty(); }
  std::optional<Error> problem() const override;
  uint64_t waiting() const override { return 0; }
  uint64_t in_service() const override { return requests_; }

 private:
  struct Block;
  using BlockRef = std::shared_ptr<Block>;
  /// Waits for several activities.
  struct Join {
    size_t left = 0;
    std::coroutine_handle<> waiter;
  };
  using Tasks = std::list<std::optional<Task<void>>>;
  /// A request that is not due yet, looked up: what is a hit doesn't depend on what the storage does.
  struct Prepared {
    Nanos after_ns = 0;  ///< the window's begin
    uint64_t input = 0, output = 0, blocks = 0;
    std::vector<BlockRef> hits, stored, evicted;
  };

  void happened(uint32_t what) override;
  void went_on() override;
  bool read_next(TraceRequest& request);
  void look_up(const TraceRequest& request);
  void schedule_next();
  void send(Prepared request);
  template <class Make>
  void run(const Make& make);
  Task<void> serve(uint64_t input, uint64_t output, Nanos due, std::vector<BlockRef> hits, std::vector<BlockRef> stored,
                   Tasks::iterator self);
  Task<void> load(BlockRef block, Join& join, Tasks::iterator self);
  Task<void> store(BlockRef block, Tasks::iterator self);
  std::vector<uint64_t> blocks_of(const TraceRequest& request) const;
  void remove_if_unused(const Block& block);

  const PagedSettings settings_;
  const uint64_t block_bytes_, max_queue_;
  std::unique_ptr<TraceReader> reader_;
  BlockCache cache_;
  std::unordered_map<uint64_t, BlockRef> present_;
  uint64_t serial_ = 0;
  TraceRequest read_;           // the last one
  std::deque<Prepared> ahead_;  // the next to be sent first
  uint64_t ahead_blocks_ = 0;   // of those
  uint64_t prepared_ = 0;       // requests, sent or not
  std::vector<Nanos> sent_;     // when they were due, of the requests that have not been handed over
  Nanos begin_ns_ = 0, cycle_ns_ = 0, last_at_ns_ = 0;
  uint32_t cycle_ = 0;
  bool ended_ = false;
  std::optional<Error> trace_error_;
  uint64_t requests_ = 0;
  Tasks tasks_;
  std::vector<Tasks::iterator> ended_tasks_;
};

/// What a replay counts with room for so many blocks.
struct CountedReplay {
  uint64_t block_capacity = 0;  ///< 0: no limit
  Replay replay;
  PromptCache::Counts whole;  ///< of the same tokens, if prompts were whole entries
};
/// Counts a replay without any I/O: for the capacity of `settings`, and with `curve` for others, too.
Result<std::vector<CountedReplay>> count_replays(const PagedSettings& settings, bool curve);

}  // namespace mlps::kvcache
