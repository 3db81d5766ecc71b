#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "benchmarks/kvcache/model.hpp"
#include "benchmarks/kvcache/tuning.hpp"

/// What the simulated users of a cluster do.
namespace mlps::kvcache {

inline constexpr double kNanosPerSecond = 1e9;

/// Returns "none", "fast", "realistic".
std::string_view generation_name(GenerationMode mode);
/// Returns "off", "qos", "capacity".
std::string_view autoscaler_name(AutoscalerMode mode);

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

/// What requests do.
enum class Phases : uint8_t {
  kBoth,         ///< they write entries, and read them to generate tokens
  kPrefillOnly,  ///< they don't read their own entries; earlier turns are read
  kDecodeOnly    ///< they read entries that are there before the window begins
};
std::string_view phases_name(Phases phases);

/// What is written before each window, and leaves to make room in it.
struct Preconditioning {
  double gib = 0;        ///< of a rank; 0: twice the capacity of storage
  uint32_t threads = 0;  ///< entries written at once; 0: one per processor
};

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
  uint64_t users = 0;            ///< to which requests belong that tell neither blocks nor conversation; 0: to none
  double prefill_rate = 10'000;  ///< tokens per second that a request computes
  double decode_rate = 50;       ///< tokens per second that a request generates
  bool slabs = false;            ///< blocks are in slots of large files, not in files of their own
  bool layerwise = false;        ///< a layer is computed while the next one is loaded
  double slo_ttft_ms = 0;        ///< of the first token; 0: none is set
};

/// Everything about a run that the storage doesn't change.
struct Settings {
  std::vector<OptionPlan> options;
  uint64_t seed = 42;  ///< of rank 0; that of rank n is n more
  uint32_t trials = 3;
  double inter_option_delay_s = 90;
  Tuning tuning;
  Phases phases = Phases::kBoth;
  std::optional<Preconditioning> preconditioning;
  bool multi_turn = true, prefix_caching = true;
  bool throughput_profile = false;
  uint32_t tensor_parallel = 1;
  Arrival arrival = Arrival::kThink;
  double request_rate = 0;          ///< requests per second and rank; kPoisson and kGamma
  double arrival_cv = 1;            ///< standard deviation over mean of the gaps; kGamma
  double prefill_rate = 10'000;     ///< tokens per second that a request of a user computes; no time is spent on it
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
std::pair<uint32_t, uint32_t> entry_tokens(const Tuning& tuning);

}  // namespace mlps::kvcache
