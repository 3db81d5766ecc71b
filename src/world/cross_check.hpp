#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "world/counter_place.hpp"
#include "world/host_counters.hpp"

/// Did the devices move what the record says was moved? The kernel's counters are a witness that has no part in our
/// arithmetic: reads that came out of a cache, and rates beyond what a device did, show here.
namespace mlps::world {

struct MovedBytes {
  uint64_t read = 0, written = 0;
  bool operator==(const MovedBytes&) const = default;
};

enum class CheckResult {
  kAgrees,
  kLess,          ///< the device moved clearly less than was claimed: a warning
  kMore,          ///< much more: other tenants, redundancy, read-ahead; said, but no warning
  kNotCheckable,  ///< no counter fits: a warning
  kNothingMoved   ///< nothing was claimed, or the location moves nothing (null://)
};
const char* check_result_name(CheckResult result);  ///< "agrees", "less", "more", "not_checkable", "nothing_moved"

struct CrossCheck {
  CheckResult result = CheckResult::kNothingMoved;
  MovedBytes claimed;
  std::optional<MovedBytes> counted;  ///< between the first and the last sample
  std::string counters;               ///< whose: "vda", "lo", "eth0, eth1"
  std::string text;                   ///< the finding in one line
  bool warns() const { return result == CheckResult::kLess || result == CheckResult::kNotCheckable; }
};

/// A direction is "less" when 90 % of the claim, less 16 MiB, was not reached: so a cache may have had a tenth, and
/// small runs are not judged by a few pages. It is "more" past twice the claim and 256 MiB. An interface's counters
/// have both directions: what is read is received, what is written is sent; on lo both are the same bytes, so claims
/// are added there. A counter that fell, or is missing, makes the check impossible.
CrossCheck cross_check(const MovedBytes& claimed, const CounterPlace& place, const HostSample& before,
                       const HostSample& after);

}  // namespace mlps::world
