#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

/// What a configuration file may change of the workload. The values here are those that mlpstorage 3.0 ships.
namespace mlps::kvcache {

/// A kind of user. Ranges include both ends.
struct Persona {
  std::string_view name;
  uint32_t context_low, context_high;        ///< tokens
  uint32_t generation_low, generation_high;  ///< tokens
  double think_low_s, think_high_s;
  bool operator==(const Persona&) const = default;
};

/// Service classes, the most urgent first.
enum class Qos : uint8_t { kInteractive, kResponsive, kBatch };
inline constexpr size_t kClasses = 3;
struct QosProfile {
  std::string_view name;
  double below;  ///< the class of users whose draw from [0, 1) is below this, and not below that of the one before
  double target_p95_ms;  ///< of the end-to-end latency
  bool operator==(const QosProfile&) const = default;
};

enum class GenerationMode : uint8_t { kNone, kFast, kRealistic };

/// When entries leave a tier; see Tiers.
struct EvictionRules {
  double largest_share = 0.95;         ///< of a tier's limit, that one entry may have above the last tier
  double target_share = 0.8;           ///< of the limit, to which tiers above the last are filled
  uint64_t most = 5000, least = 1000;  ///< evictions for one new entry
  uint32_t most_depth = 10;            ///< tiers that make room for one another in a row
  bool operator==(const EvictionRules&) const = default;
};

/// Documents that requests look things up in.
struct RagRules {
  uint32_t documents = 0;       ///< of a rank; 0: none
  uint32_t most_documents = 0;  ///< held at once, of which the oldest leaves; 0: no limit
  uint32_t chunk_tokens = 512;  ///< fewer where that is more than most_chunk_bytes
  uint64_t most_chunk_bytes = 268'435'456;
  uint32_t chunks_read = 5;  ///< of the document of a request
  double probability = 0.1;  ///< of a request that looks something up, and of a further one that is about it
  bool zipfian = true;       ///< early chunks are read more often: chunk i by 1/(i+1); else all alike
  uint32_t small_low = 4000, small_high = 12'000;  ///< tokens of a document
  uint32_t large_low = 1024, large_high = 4096;    ///< of one of a large model
  bool operator==(const RagRules&) const = default;
};

enum class AutoscalerMode : uint8_t { kOff, kQos, kCapacity };

/// How the number of users follows the storage; see Autoscaler.
struct ScalingRules {
  AutoscalerMode mode = AutoscalerMode::kOff;
  double target_saturation = 0.8;
  uint32_t fewest = 1, most = 10'000;  ///< users
  double up = 1.2, down = 0.8;         ///< factors, kQos
  uint32_t samples_above = 2;          ///< ticks in a row above the target, before users leave
  uint32_t history = 10;               ///< ticks that saturation is judged by
  double read_p95_ms = 100;            ///< of a read that is as slow as can be
  bool operator==(const ScalingRules&) const = default;
};

/// All of it.
struct Tuning {
  std::array<Persona, 3> personas = {{{"chatbot", 512, 4096, 50, 200, 0.1, 0.5},
                                      {"coding", 4096, 25000, 100, 500, 0.2, 1.0},
                                      {"document", 4096, 16384, 200, 800, 0.3, 1.5}}};
  std::array<QosProfile, kClasses> classes = {
      {{"interactive", 0.15, 50}, {"responsive", 0.50, 100}, {"batch", 1.0, 1000}}};
  std::array<Nanos, 3> token_ns = {0, 2'000'000, 30'000'000};  ///< to generate a token, by GenerationMode
  EvictionRules eviction;
  double prefix_probability = 0.2;     ///< of a request that begins with a system prompt
  double end_of_conversation = 0.2;    ///< probability, before each further request
  uint32_t most_turns = 50;            ///< of a conversation
  uint32_t most_conversations = 1000;  ///< records kept of a rank; the oldest is dropped
  uint32_t decode_batch = 32;          ///< generated tokens per further read of the entry
  RagRules rag;
  ScalingRules scaling;
  bool operator==(const Tuning&) const = default;
};

inline constexpr double kThinkLow = 0.8, kThinkHigh = 1.2;  ///< of a user's think time, drawn for each request
inline constexpr double kCompliance = 0.95;                 ///< the share within the target that meets it
inline constexpr uint32_t kPrefillOnlyTokens = 10'000;      ///< a context of so many is written and not decoded
inline constexpr std::array<uint32_t, 3> kPrefixTokens = {5, 9, 6};  ///< words of the three system prompts
inline constexpr uint32_t kMostAtOnce = 500;                         ///< requests in service at once on a rank
inline constexpr uint32_t kMostUsers = 100'000;
inline constexpr uint32_t kPreparedTokens = 2048;  ///< of an entry that is there before the window begins

}  // namespace mlps::kvcache
