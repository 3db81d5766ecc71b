#pragma once

#include <string>

#include "benchmarks/kvcache/record.hpp"
#include "live/state.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::kvcache {

struct RunRequest : RunSettings {
  storage::Store* store = nullptr;  ///< the cache folder, opened
  std::string injected_fault;
  std::string io_trace;  ///< a file for a line per move of an entry; empty: none
  Stamp invocation_start;
  live::Show on_progress;  ///< may be empty
};

/// The record of a run that has not begun: all that is known beforehand, verdict "incomplete".
RunRecord describe_run(const RunRequest& request);

/// Runs this host's ranks through all options and trials; the windows of all ranks begin together. Returns when every
/// thread of its own has ended, in success, failure and interruption alike, with nothing left in the cache folder that
/// could be removed; the verdict, its reasons and the first error are in the record. Raising a failure of the world
/// from outside (a signal) stops the run within seconds.
RunRecord run(const RunRequest& request, world::World& world);

/// Returns how entries look in a store: as mlpstorage 3.0 has them, or plain.
std::string entry_suffix(KvIo io);

}  // namespace mlps::kvcache
