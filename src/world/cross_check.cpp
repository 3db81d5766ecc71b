#include "world/cross_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"
#include "world/proc_text.hpp"

namespace mlps::world {
namespace {

constexpr size_t kSectorsRead = 2, kSectorsWritten = 6;
constexpr size_t kReceived = 0, kSent = 8;
constexpr const char* kLoopback = "lo";

constexpr uint64_t kLeastPercent = 90;
constexpr uint64_t kSlackBytes = 16 * kMiB;
constexpr uint64_t kMuchTimes = 2;
constexpr uint64_t kMuchBytes = 256 * kMiB;

struct Counted {
  MovedBytes bytes;
  std::vector<std::string> names;
  std::string trouble;  // the reason for which the check is impossible
};

// Adds the increase of one counter; returns false if it fell.
bool add_gain(uint64_t before, uint64_t after, uint64_t unit, uint64_t& sum) {
  if (after < before) return false;
  sum += (after - before) * unit;
  return true;
}

const DiskFacts* find_disk(const HostSample& sample, const std::string& name) {
  const auto found = std::find_if(sample.disks.begin(), sample.disks.end(),
                                  [&](const DiskFacts& disk) { return disk.device == name; });
  return found == sample.disks.end() ? nullptr : &*found;
}

Counted count_disks(const std::vector<std::string>& names, const HostSample& before, const HostSample& after) {
  Counted counted{{}, names, {}};
  for (const std::string& name : names) {
    const DiskFacts* first = find_disk(before, name);
    const DiskFacts* last = find_disk(after, name);
    if (first == nullptr || last == nullptr) {
      counted.trouble = fmt::format("/proc/diskstats has no {}", name);
      return counted;
    }
    const auto& from = first->counters;
    const auto& to = last->counters;
    if (!add_gain(from[kSectorsRead], to[kSectorsRead], kSectorBytes, counted.bytes.read) ||
        !add_gain(from[kSectorsWritten], to[kSectorsWritten], kSectorBytes, counted.bytes.written)) {
      counted.trouble = fmt::format("a counter of {} fell during the run", name);
      return counted;
    }
  }
  return counted;
}

Counted count_network(bool loopback, const HostSample& before, const HostSample& after) {
  Counted counted;
  for (const NetworkFacts& last : after.network) {
    if ((last.interface == kLoopback) != loopback) continue;
    const auto first = std::find_if(before.network.begin(), before.network.end(),
                                    [&](const NetworkFacts& network) { return network.interface == last.interface; });
    // An interface that came up during the run began at 0.
    const std::array<uint64_t, 16> from = first == before.network.end() ? std::array<uint64_t, 16>{} : first->counters;
    if (!add_gain(from[kReceived], last.counters[kReceived], 1, counted.bytes.read) ||
        !add_gain(from[kSent], last.counters[kSent], 1, counted.bytes.written)) {
      counted.trouble = fmt::format("a counter of {} fell during the run", last.interface);
      return counted;
    }
    counted.names.push_back(last.interface);
  }
  if (counted.names.empty()) counted.trouble = "/proc/net/dev has no interface that counts";
  return counted;
}

Counted count(const CounterPlace& place, const HostSample& before, const HostSample& after) {
  switch (place.kind) {
    case CounterPlace::Kind::kDisks:
      return count_disks(place.disks, before, after);
    case CounterPlace::Kind::kNetwork:
      return count_network(false, before, after);
    case CounterPlace::Kind::kLoopback:
      return count_network(true, before, after);
    case CounterPlace::Kind::kUncountable:
    case CounterPlace::Kind::kNone:
      break;
  }
  return {{}, {}, place.reason};
}

CheckResult judge(uint64_t claimed, uint64_t counted) {
  const uint64_t most_of_it = claimed / 100 * kLeastPercent;
  if (most_of_it > kSlackBytes && counted < most_of_it - kSlackBytes) return CheckResult::kLess;
  return counted > kMuchTimes * claimed + kMuchBytes ? CheckResult::kMore : CheckResult::kAgrees;
}

std::string direction_text(const char* verb, uint64_t claimed, uint64_t counted) {
  return fmt::format("{} {} of the {} claimed", verb, human_bytes(counted), human_bytes(claimed));
}

std::string advice(bool reads_less, bool network) {
  if (network) return "the rest went past the interfaces counted, or never left this host";
  return reads_less ? "the rest came from a cache, or from a device that is not counted"
                    : "the rest was still in a cache, was compressed away, or went to a device that is not counted";
}

// Returns both directions, or their sum where one counter counts both.
void judge_all(CrossCheck& check, CounterPlace::Kind kind) {
  const MovedBytes& counted = *check.counted;
  const MovedBytes& claimed = check.claimed;
  std::vector<std::string> parts;
  bool reads_less = false;
  check.result = CheckResult::kAgrees;
  const auto look = [&](const char* verb, uint64_t claim, uint64_t count) {
    if (claim == 0) return;
    const CheckResult result = judge(claim, count);
    parts.push_back(direction_text(verb, claim, count));
    const bool is_worse = result == CheckResult::kLess || check.result == CheckResult::kAgrees;
    if (is_worse) check.result = result;
  };
  if (kind == CounterPlace::Kind::kLoopback) {
    look("moved", claimed.read + claimed.written, counted.read);
  } else {
    look("read", claimed.read, counted.read);
    reads_less = check.result == CheckResult::kLess;
    look("wrote", claimed.written, counted.written);
  }
  check.text = fmt::format("{} {}", check.counters, join(parts, ", "));
  if (check.result == CheckResult::kLess) {
    check.text += "; " + advice(reads_less, kind != CounterPlace::Kind::kDisks);
  }
  if (check.result == CheckResult::kMore) check.text += "; the rest was read-ahead, redundancy or somebody else's";
}

}  // namespace

const char* check_result_name(CheckResult result) {
  switch (result) {
    case CheckResult::kAgrees:
      return "agrees";
    case CheckResult::kLess:
      return "less";
    case CheckResult::kMore:
      return "more";
    case CheckResult::kNotCheckable:
      return "not_checkable";
    case CheckResult::kNothingMoved:
      break;
  }
  return "nothing_moved";
}

CrossCheck cross_check(const MovedBytes& claimed, const CounterPlace& place, const HostSample& before,
                       const HostSample& after) {
  CrossCheck check;
  check.claimed = claimed;
  if (place.kind == CounterPlace::Kind::kNone || claimed == MovedBytes{}) {
    check.text = "no bytes to look for in counters";
    return check;
  }
  const Counted counted = count(place, before, after);
  check.counters = join(counted.names, ", ");
  if (!counted.trouble.empty()) {
    check.result = CheckResult::kNotCheckable;
    check.text = "not checkable: " + counted.trouble;
    return check;
  }
  check.counted = counted.bytes;
  judge_all(check, place.kind);
  return check;
}

}  // namespace mlps::world
