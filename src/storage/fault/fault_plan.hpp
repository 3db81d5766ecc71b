#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::storage::fault {

enum class FaultKind { kReset, kError500, kSlowdown, kDenied, kShort, kLost, kFlip, kFull, kSlow, kRate, kHang };

std::string_view kind_name(FaultKind kind);  ///< "reset", "error500", ...

/// The number of attempts after which the backend that the wrapper imitates gives up; a transient fault that lasts as
/// long is final.
inline constexpr uint32_t kMaxAttempts = 5;

/// Lets bytes pass at a rate, first come, first served, as one server without concurrency would. Any thread may call
/// admit().
class RateLimit {
 public:
  /// Returns when so many bytes, which are asked for now, have passed.
  Nanos admit(uint64_t bytes, uint64_t bytes_per_s, Nanos now);

 private:
  std::atomic<Nanos> free_ns_ = 0;  ///< when all that was admitted has passed
};

/// One fault of an operation. `amount` counts milliseconds for kSlow, attempts for the transient kinds, and bytes per
/// second for kRate.
struct Fault {
  FaultKind kind = FaultKind::kReset;
  uint64_t amount = 0;
  RateLimit* limit = nullptr;  ///< kRate: the rule's, of the plan
};

/// Holds the rules by which operations of a store are made to fail, and counts the operations that each rule matches.
/// Any thread may call match().
class FaultPlan {
 public:
  /// Parses the grammar of fault_store.hpp. E102 names the wrong word and the legal ones.
  static Result<std::unique_ptr<FaultPlan>> parse(std::string_view spec, uint64_t seed);

  /// Returns the fault for this operation, if there is one: every matching rule counts the operation, and the first
  /// rule whose turn it is decides.
  std::optional<Fault> match(OpKind operation, std::string_view object);

  /// Returns the number of the bit that is flipped in a part of `length` bytes: a function of seed, object and part.
  uint64_t bit_of(std::string_view object, uint32_t part, uint64_t length) const;

  const std::string& text() const { return text_; }

 private:
  struct Rule {
    Fault fault;
    OpKind operation = OpKind::kBeginWrite;
    std::string substring;
    uint64_t nth = 1;
    bool onwards = false;
    RateLimit limit;
    std::atomic<uint64_t> seen = 0;
  };

  static Result<std::unique_ptr<Rule>> parse_rule(std::string_view text);
  static Status parse_kind(std::string_view text, Rule& rule);
  static Status parse_rate(std::string_view text, Rule& rule);
  static Status parse_nth(std::string_view text, Rule& rule);

  std::string text_;
  uint64_t seed_ = 0;
  std::vector<std::unique_ptr<Rule>> rules_;
};

}  // namespace mlps::storage::fault
