#pragma once

#include <array>
#include <deque>
#include <list>
#include <optional>
#include <vector>

#include "benchmarks/kvcache/autoscaler.hpp"
#include "benchmarks/kvcache/entry_simulation.hpp"
#include "benchmarks/kvcache/rag.hpp"

namespace mlps::kvcache {

/// The simulation with whole entries: users, their queue, and the requests in service. Users are events. With the same
/// seed users send the same requests, whatever the storage does, unless an autoscaler changes their number.
class Engine final : public EntrySimulation {
 public:
  struct Limits {
    std::array<uint64_t, kTiers> bytes{};  ///< as Tiers takes them
  };
  Engine(const Settings& settings, const OptionPlan& option, uint64_t seed, Limits limits, EntryIo& io);
  ~Engine() override;

  void prepare(Nanos now) override;
  bool is_prepared() const override { return lanes_left_ == 0; }
  void begin(Nanos now) override;
  bool is_done() const override { return scaler_ && scaler_->is_stopped(); }
  std::optional<Error> problem() const override;
  uint64_t waiting() const override { return queues_[0].size() + queues_[1].size() + queues_[2].size(); }
  uint64_t in_service() const override { return in_service_; }

 private:
  struct Queued {
    Request request;
    uint32_t user = 0;
    Nanos made_ns = 0;
    bool is_extra = false;  // about a document: the user's own request goes on beside it
  };
  void happened(uint32_t what) override;
  void went_on() override;
  void schedule_arrival();
  void send(uint32_t user);
  void queue(Queued queued);
  void dispatch();
  void reap();
  void add_users(uint32_t wanted);
  void scale();

  Task<void> serve(Queued queued, size_t slot);
  Task<Nanos> read_earlier_turns(Request request, uint64_t& loaded_bytes);
  Task<Nanos> look_up(Queued queued, uint64_t& loaded_bytes);
  Task<Nanos> decode(EntryKey key, Queued queued, bool is_system, Served& served, uint64_t& loaded_bytes);
  bool detect_prefix(const Queued& queued, uint32_t& context);
  Task<void> ingest();
  Task<void> write_ahead();
  EntryKey prepopulated_for(const Queued& queued) const;

  const uint64_t seed_;
  std::vector<User> users_;
  uint32_t active_users_ = 0;  // the first of them; the others send nothing
  std::vector<bool> asleep_;   // users whose next request is not scheduled
  Random arrivals_;
  Conversations conversations_;
  const Documents documents_;
  std::array<std::deque<Queued>, kClasses> queues_;
  std::vector<std::optional<Task<void>>> slots_;  // requests in service
  std::vector<size_t> free_slots_, ended_slots_;
  uint64_t in_service_ = 0;
  uint32_t rewrites_ = 0;
  std::list<Task<void>> beside_;                  // what goes on beside requests: preparation, ingestion
  uint64_t ahead_bytes_ = 0, ahead_entries_ = 0;  // preconditioning that has begun
  uint32_t prepopulated_ = 0;                     // entries that have been begun
  uint32_t lanes_left_ = 0;
  Nanos begin_ns_ = 0;
  std::optional<Autoscaler> scaler_;
  size_t reads_looked_at_ = 0, writes_looked_at_ = 0;  // by the autoscaler
  uint64_t bytes_looked_at_ = 0;
};

}  // namespace mlps::kvcache
