#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "benchmarks/kvcache/model.hpp"

/// What the simulated users of a cluster do: the values of mlpstorage 3.0.
namespace mlps::kvcache {

inline constexpr double kNanosPerSecond = 1e9;

/// A kind of user. Ranges include both ends.
struct Persona {
  std::string_view name;
  uint32_t context_low, context_high;        ///< tokens
  uint32_t generation_low, generation_high;  ///< tokens
  double think_low_s, think_high_s;
};
inline constexpr std::array<Persona, 3> kPersonas = {{{"chatbot", 512, 4096, 50, 200, 0.1, 0.5},
                                                      {"coding", 4096, 25000, 100, 500, 0.2, 1.0},
                                                      {"document", 4096, 16384, 200, 800, 0.3, 1.5}}};
inline constexpr double kThinkLow = 0.8, kThinkHigh = 1.2;  ///< of a user's think time, drawn for each request

/// Service classes, the most urgent first.
enum class Qos : uint8_t { kInteractive, kResponsive, kBatch };
inline constexpr size_t kClasses = 3;
struct QosProfile {
  std::string_view name;
  double below;  ///< the class of users whose draw from [0, 1) is below this, and not below that of the one before
  double target_p95_ms;  ///< of the end-to-end latency
};
inline constexpr std::array<QosProfile, kClasses> kQosProfiles = {
    {{"interactive", 0.15, 50}, {"responsive", 0.50, 100}, {"batch", 1.0, 1000}}};
inline constexpr double kCompliance = 0.95;  ///< the share within the target that meets it

inline constexpr uint32_t kPrefillOnlyTokens = 10'000;  ///< a context of so many is written and not decoded
inline constexpr uint32_t kDecodeBatch = 32;            ///< generated tokens per further read of the entry
inline constexpr double kEndOfConversation = 0.2;       ///< probability, before each further request
inline constexpr uint32_t kMostTurns = 50;
inline constexpr uint32_t kMostConversations = 1000;  ///< records kept of a rank; the oldest is dropped
inline constexpr double kPrefixProbability = 0.2;
inline constexpr std::array<uint32_t, 3> kPrefixTokens = {5, 9, 6};  ///< words of the three system prompts
inline constexpr uint32_t kMostAtOnce = 500;                         ///< requests in service at once on a rank
inline constexpr uint32_t kMostUsers = 100'000;

enum class GenerationMode : uint8_t { kNone, kFast, kRealistic };
/// Returns "none", "fast", "realistic".
std::string_view generation_name(GenerationMode mode);
/// Returns how long the generation of one token takes.
Nanos token_time(GenerationMode mode);

/// How users send requests.
enum class Arrival : uint8_t {
  kThink,    ///< each thinks, sends, and doesn't wait for the answer: an open loop
  kClosed,   ///< each thinks, sends, and waits for the answer
  kPoisson,  ///< requests of all users together arrive at a rate, with exponential gaps
  kGamma     ///< likewise, with gaps of a gamma distribution
};
std::string_view arrival_name(Arrival arrival);

/// How entries are read and written.
enum class KvIo : uint8_t {
  kCompat,  ///< as mlpstorage 3.0: a .npy file per entry, buffered write and fsync; pages dropped, then read
  kDirect   ///< in parts, several of an entry at once, past the page cache, or to an object store
};
std::string_view kv_io_name(KvIo io);

/// One option of the sequence, as every rank runs it.
struct OptionPlan {
  uint32_t number = 1;  ///< 1 to 3
  Model model;
  uint32_t users = 0;
  double duration_s = 0;
  double gpu_gib = 0, cpu_gib = 0;
  uint32_t max_allocs = 0;  ///< entries being written at once on a rank; 0: no limit
  GenerationMode generation = GenerationMode::kNone;

  uint32_t at_once() const { return users < kMostAtOnce ? users : kMostAtOnce; }
};

/// The replay of a trace on blocks of tokens.
struct PagedSettings {
  std::string trace;  ///< path of the file, on every host
  uint64_t block_tokens = 256;
  bool partial_blocks = false;   ///< the last block of a prompt, which it does not fill, is stored too
  uint64_t block_capacity = 0;   ///< of a rank; 0: no limit
  bool fifo = false;             ///< blocks leave in the order of their coming, not of their last use
  bool second_use = false;       ///< a block is stored when it is asked for the second time
  double speedup = 1;            ///< of the trace's clock
  uint32_t cycles = 1;           ///< how often the trace is replayed
  double prefill_rate = 10'000;  ///< tokens per second that a request computes
  double decode_rate = 50;       ///< tokens per second that a request generates
  bool layerwise = false;        ///< a layer is computed while the next one is loaded
  double slo_ttft_ms = 0;        ///< of the first token; 0: none is set
};

/// Everything about a run that the storage doesn't change.
struct Settings {
  std::vector<OptionPlan> options;
  uint64_t seed = 42;  ///< of rank 0; that of rank n is n more
  uint32_t trials = 3;
  double inter_option_delay_s = 90;
  bool multi_turn = true, prefix_caching = true;
  bool throughput_profile = false;
  uint32_t tensor_parallel = 1;
  Arrival arrival = Arrival::kThink;
  double request_rate = 0;          ///< requests per second and rank; kPoisson and kGamma
  double arrival_cv = 1;            ///< standard deviation over mean of the gaps; kGamma
  double storage_capacity_gib = 0;  ///< of a rank; 0: by the free space
  uint64_t max_queue = 1'000'000;   ///< requests waiting on a rank; more end the run
  KvIo io = KvIo::kCompat;
  std::optional<PagedSettings> paged;  ///< instead of users and whole entries; then there is one option
};

/// Returns option 1, 2 or 3 of the closed sequence.
OptionPlan closed_option(uint32_t number);

/// What the workload asks of one rank, before any storage answers: means over many drawn requests.
struct OfferedLoad {
  double requests_per_s = 0;  ///< 0 for a closed loop, whose rate the storage decides
  double tokens_written = 0;  ///< per request
  double decode_reads = 0;    ///< per request, first read included
  double tokens_read = 0;     ///< per request, by decode reads alone
  double mean_entry_tokens = 0;
};
OfferedLoad offered_load(const Settings& settings, const OptionPlan& option);

/// Returns the fewest and the most tokens that an entry can have.
std::pair<uint32_t, uint32_t> entry_tokens();

}  // namespace mlps::kvcache
