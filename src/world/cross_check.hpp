#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "world/counter_place.hpp"
#include "world/host_counters.hpp"

/// Compares the bytes that a record claims with those that the devices moved. The kernel's counters are independent of
/// our arithmetic: they show reads that a cache served, and rates that no device reached.
namespace mlps::world {

struct MovedBytes {
  uint64_t read = 0, written = 0;
  bool operator==(const MovedBytes&) const = default;
};

enum class CheckResult {
  kAgrees,
  kLess,          ///< the device moved clearly less than was claimed: a warning
  kMore,          ///< much more: other users, redundancy, read-ahead; reported, but no warning
  kNotCheckable,  ///< no counter fits: a warning
  kNothingMoved   ///< nothing was claimed, or the location moves nothing (null://)
};
const char* check_result_name(CheckResult result);  ///< "agrees", "less", "more", "not_checkable", "nothing_moved"

struct CrossCheck {
  CheckResult result = CheckResult::kNothingMoved;
  MovedBytes claimed;
  std::optional<MovedBytes> counted;  ///< between the first and the last sample
  std::string counters;               ///< names of the devices: "vda", "lo", "eth0, eth1"
  std::string text;                   ///< the finding in one line
  bool warns() const { return result == CheckResult::kLess || result == CheckResult::kNotCheckable; }
};

/// Returns "less" for a direction whose count is below 90 % of the claim less 16 MiB: a cache may have served a tenth,
/// and a few pages don't decide about a small run. It is "more" past twice the claim and 256 MiB. An interface's
/// counters have both directions: what is read is received, what is written is sent; on lo both are the same bytes, so
/// claims are added there. A counter that fell, or is missing, makes the check impossible.
CrossCheck cross_check(const MovedBytes& claimed, const CounterPlace& place, const HostSample& before,
                       const HostSample& after);

}  // namespace mlps::world
