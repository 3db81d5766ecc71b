#pragma once

#include <coroutine>
#include <cstdint>
#include <string>
#include <tuple>

#include "base/clock.hpp"
#include "base/fields.hpp"
#include "benchmarks/kvcache/tiers.hpp"

namespace mlps::kvcache {

/// Bytes whose I/O completed inside the window, and those that completed after it.
struct Moved {
  uint64_t inside = 0, late = 0;
};
constexpr auto fields_of(Of<Moved>) {
  return std::tuple(kept("inside", &Moved::inside), kept("late", &Moved::late));
}

/// The stored form of an entry. One that is written again after it was evicted gets a number of its own, so that the
/// removal of the old file never meets the new one.
struct EntryName {
  EntryKey key;
  uint32_t rewrite = 0;
  auto operator<=>(const EntryName&) const = default;
  std::string text() const { return rewrite == 0 ? key.name() : key.name() + "_again_" + std::to_string(rewrite); }
};

/// The move of one whole entry, and what came of it. Whoever starts it keeps it in place until it has completed.
struct EntryOp {
  std::string name;  ///< of the entry, below the rank's folder and without suffix
  uint64_t bytes = 0;
  Tier tier = Tier::kStorage;
  bool writes = false;
  bool demotion = false;

  Nanos total_ns = 0;                ///< of its operations
  Nanos device_ns = 0, host_ns = 0;  ///< parts of total_ns, where the way of I/O tells them apart
  bool is_split = false;             ///< it does
  Nanos client_ns = 0;               ///< it waited for this program before its first operation
  Nanos completed_ns = 0;
  bool is_cut = false;  ///< it was given up
  Moved moved;

  std::coroutine_handle<> waiter;
};

/// Moves entries for a simulation.
class EntryIo {
 public:
  virtual ~EntryIo() = default;
  /// Begins `op`, now or with others of this moment. It completes later, never in this call.
  virtual void start(EntryOp& op) = 0;
  /// Removes an entry, sometime: nothing waits for it.
  virtual void remove(Tier tier, const std::string& name) = 0;
};

}  // namespace mlps::kvcache
