#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "base/histogram.hpp"
#include "benchmarks/kvcache/entry_io.hpp"
#include "benchmarks/kvcache/tiers.hpp"

/// What one rank counted in one trial of an option.
namespace mlps::kvcache {

/// Traffic of a tier. Demotions are read in the tier they leave and written in the one they go to.
struct TierTraffic {
  Moved read, written, demoted_out, demoted_in;
  uint64_t tokens = 0;    ///< written, demoted in or read, in operations that completed inside the window
  uint64_t offloads = 0;  ///< entries written there, first or by demotion
  uint64_t whole_read = 0, whole_written = 0;  ///< bytes of entries that were moved whole inside the window
  std::vector<double> read_s, write_s;         ///< latency of each entry, all of its operations
  std::vector<double> read_device_s, read_host_s, write_device_s,
      write_host_s;  ///< where the way of I/O tells them apart
  std::vector<double> demotion_read_s, demotion_write_s;
};
constexpr auto fields_of(Of<TierTraffic>) {
  using T = TierTraffic;
  return std::tuple(
      kept("read_bytes", &T::read), kept("written_bytes", &T::written), kept("demoted_out_bytes", &T::demoted_out),
      kept("demoted_in_bytes", &T::demoted_in), kept("tokens", &T::tokens), kept("offloads", &T::offloads),
      kept("whole_read_bytes", &T::whole_read), kept("whole_written_bytes", &T::whole_written), kept("", &T::read_s),
      kept("", &T::write_s), kept("", &T::read_device_s), kept("", &T::read_host_s), kept("", &T::write_device_s),
      kept("", &T::write_host_s), kept("", &T::demotion_read_s), kept("", &T::demotion_write_s));
}

/// One completed request.
struct Served {
  double end_to_end_s = 0;   ///< from its making to its end
  double queue_s = 0;        ///< of that, before its service began
  double storage_s = 0;      ///< operations of all tiers
  double first_token_s = 0;  ///< from its making to the end of its first read of the entry, or of its write
  double generation_s = 0;
  uint32_t tokens = 0;  ///< generated
  uint32_t qos = 0;
  bool good = false;  ///< within its target
};
constexpr auto fields_of(Of<Served>) {
  return std::tuple(kept("end_to_end_s", &Served::end_to_end_s), kept("queue_s", &Served::queue_s),
                    kept("storage_s", &Served::storage_s), kept("first_token_s", &Served::first_token_s),
                    kept("generation_s", &Served::generation_s), kept("tokens", &Served::tokens),
                    kept("qos", &Served::qos), kept("good", &Served::good));
}

/// Look-ups by what they were for.
struct LookUps {
  uint64_t hits = 0, misses = 0;
};
constexpr auto fields_of(Of<LookUps>) {
  return std::tuple(kept("hits", &LookUps::hits), kept("misses", &LookUps::misses));
}

/// Tokens of the requests of users that were completed.
struct Offload {
  uint64_t computed_tokens = 0;  ///< of their own prompts
  uint64_t loaded_tokens = 0;    ///< of earlier turns, documents and entries that were there: computed without offload
};
constexpr auto fields_of(Of<Offload>) {
  return std::tuple(kept("computed_tokens", &Offload::computed_tokens), kept("loaded_tokens", &Offload::loaded_tokens));
}

/// What the replay of a trace counted.
struct Replay {
  uint64_t requests = 0, rows_skipped = 0;
  uint64_t block_references = 0, block_hits = 0;  ///< hits: present, and so are all before it
  uint64_t blocks_stored = 0, blocks_evicted = 0;
  uint64_t input_tokens = 0, hit_tokens = 0;
  Histogram lateness_ns;      ///< of requests, against the trace's clock, until all of their loads are on their way
  Histogram own_lateness_ns;  ///< of that, at most what this client's thread computed meanwhile
};
constexpr auto fields_of(Of<Replay>) {
  using R = Replay;
  return std::tuple(kept("requests", &R::requests), kept("rows_skipped", &R::rows_skipped),
                    kept("block_references", &R::block_references), kept("block_hits", &R::block_hits),
                    kept("blocks_stored", &R::blocks_stored), kept("blocks_evicted", &R::blocks_evicted),
                    kept("input_tokens", &R::input_tokens), kept("hit_tokens", &R::hit_tokens),
                    kept("lateness", &R::lateness_ns), kept("own_lateness", &R::own_lateness_ns));
}

struct ScalingAct {
  static constexpr uint32_t kHold = 0, kUp = 1, kDown = 2, kStop = 3;
};
/// One look of the autoscaler, and what it did.
struct ScalingTick {
  double at_s = 0;  ///< after the window began
  uint32_t act = ScalingAct::kHold;
  uint32_t users = 0;  ///< from then on
  double saturation = 0, read_p95_ms = 0, write_p95_ms = 0;
  double tokens_per_s = 0, peak_tokens_per_s = 0;
};
constexpr auto fields_of(Of<ScalingTick>) {
  using T = ScalingTick;
  return std::tuple(kept("at_s", &T::at_s), kept("act", &T::act), kept("users", &T::users),
                    kept("saturation", &T::saturation), kept("read_p95_ms", &T::read_p95_ms),
                    kept("write_p95_ms", &T::write_p95_ms), kept("tokens_per_s", &T::tokens_per_s),
                    kept("peak_tokens_per_s", &T::peak_tokens_per_s));
}

struct RankTrial {
  uint32_t option = 0, trial = 0, rank = 0;  ///< the option's number, 1 to 3; the others from 0
  uint64_t seed = 0;
  Stamp start;
  double elapsed_s = 0;        ///< of the window
  std::vector<Served> served;  ///< in the order of completion
  std::vector<double> prefill_s, decode_s;
  std::array<TierTraffic, kTiers> tiers;
  std::array<uint64_t, kTiers> entries{}, used_bytes{};  ///< at the end
  LookUps prefix, earlier_turns, decode, documents;
  uint64_t system_hits = 0, turn_hits = 0, user_hits = 0;  ///< hits by the kind of the request
  uint64_t prefix_hits = 0, prefix_misses = 0, prefix_bytes_saved = 0;
  uint64_t prefill_writes = 0, decode_reads = 0;
  uint64_t reads = 0, writes = 0;  ///< entries, without demotions
  uint64_t evictions = 0;
  uint64_t offered = 0, waiting = 0, cut_off = 0;  ///< requests made; still queued, or in service, at the end
  uint64_t longest_queue = 0;
  uint64_t prepared_entries = 0, prepared_bytes = 0;  ///< written before the window, and counted nowhere else
  std::vector<ScalingTick> scaling;
  double client_wait_s = 0;             ///< operations that waited for a thread of this program, summed
  uint64_t storage_capacity_bytes = 0;  ///< 0: no limit
  Offload offload;                      ///< of users
  Replay replay;                        ///< of a trace
};
constexpr auto fields_of(Of<RankTrial>) {
  using T = RankTrial;
  return std::tuple(
      kept("option", &T::option), kept("trial", &T::trial), kept("rank", &T::rank), kept("seed", &T::seed),
      kept("start_ns", &T::start), kept("elapsed_s", &T::elapsed_s), kept("", &T::served), kept("", &T::prefill_s),
      kept("", &T::decode_s), kept("", &T::tiers), kept("", &T::entries), kept("", &T::used_bytes),
      kept("prefix", &T::prefix), kept("earlier_turns", &T::earlier_turns), kept("decode", &T::decode),
      kept("documents", &T::documents), kept("system_hits", &T::system_hits), kept("turn_hits", &T::turn_hits),
      kept("user_hits", &T::user_hits), kept("prefix_hits", &T::prefix_hits), kept("prefix_misses", &T::prefix_misses),
      kept("prefix_bytes_saved", &T::prefix_bytes_saved), kept("prefill_writes", &T::prefill_writes),
      kept("decode_reads", &T::decode_reads), kept("reads", &T::reads), kept("writes", &T::writes),
      kept("evictions", &T::evictions), kept("offered", &T::offered), kept("waiting", &T::waiting),
      kept("cut_off", &T::cut_off), kept("longest_queue", &T::longest_queue), kept("client_wait_s", &T::client_wait_s),
      kept("prepared_entries", &T::prepared_entries), kept("prepared_bytes", &T::prepared_bytes), kept("", &T::scaling),
      kept("storage_capacity_bytes", &T::storage_capacity_bytes), kept("", &T::offload), kept("", &T::replay));
}

}  // namespace mlps::kvcache
