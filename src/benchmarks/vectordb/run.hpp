#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/vectordb/database.hpp"
#include "benchmarks/vectordb/record.hpp"
#include "live/state.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::vectordb {

/// What a load or a search needs. Refers to what must outlive it.
struct RunRequest : Settings {
  storage::Store* store = nullptr;  ///< what --storage-root names, or null://
  Database* database = nullptr;
  bool searches = false;
  uint32_t ranks = 1;        ///< of all hosts
  std::string truth_folder;  ///< exact answers are kept there; empty: nowhere
  std::string injected_fault;
  Stamp invocation_start;
  live::Show on_progress = {};  ///< may be empty
};

/// The record of a run that has not begun: all that is known beforehand, verdict "incomplete".
RunRecord describe_run(const RunRequest& request);

/// Loads the vectors: process 0 makes the collection, the ranks of all hosts insert their shares of the keys, process 0
/// has the index built and waits for it. The verdict, its reasons and the first error are in the record.
RunRecord load(const RunRequest& request, world::World& world);

/// A search on this host. Its steps are called by one thread, in this order; after a failure of the world each ends
/// at once.
class Search {
 public:
  virtual ~Search() = default;

  /// Reads the description of the collection, loads it, makes the queries, and finds their exact answers; looks up some
  /// rows.
  virtual void prepare() = 0;
  /// Returns the windows to be run: one, or of a sweep one per target, with the efforts that it has found. In one
  /// process; the others are told.
  virtual std::vector<WindowPlan> plan_windows() = 0;
  /// Runs the windows on the ranks of this host, which are its workers. They begin together on all hosts. Returns
  /// when every thread of its own has ended; verdict, reasons and first error are in the record.
  virtual RunRecord run(std::vector<WindowPlan> windows) = 0;
};
std::unique_ptr<Search> make_search(const RunRequest& request, world::World& world);

}  // namespace mlps::vectordb
