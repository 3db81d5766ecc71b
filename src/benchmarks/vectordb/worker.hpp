#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/record.hpp"
#include "benchmarks/vectordb/truth.hpp"
#include "io/series.hpp"
#include "world/failure.hpp"

namespace mlps::vectordb {

/// What all workers of a host share; it outlives them.
struct SearchData {
  VectorBlock queries;
  GroundTruth truth;
  SearchParams params;  ///< without the effort
  IndexKind index = IndexKind::kDiskAnn;
  float epsilon = 0;
  // Where vectors are inserted meanwhile: those from `first_new` on, and up to what is sent, may be found too.
  Metric metric = Metric::kCosine;
  uint64_t first_new = UINT64_MAX;
  const VectorSource* all_rows = nullptr;
  std::function<uint64_t()> sent_end = {};
};

/// The end of a window: a moment, a number of queries, or neither.
struct WindowEnd {
  Nanos at_ns = INT64_MAX;
  uint64_t queries = UINT64_MAX;
};

/// One worker: a session, an order of queries, and what became of them. Used by one thread.
class Worker {
 public:
  /// `series`, where given, gets what happens in every second of windows.
  Worker(const Settings& settings, const SearchData& data, uint32_t rank, uint32_t ranks, SearchSession& session,
         world::Failure& failure, io::SharedSeries* series = nullptr);

  /// Searches until `end`. Appends to `window`, whose start is set, unless it is nullptr: then nothing counts. `done`
  /// is raised by the answered queries. Ends early when a failure of the run is raised, and raises one itself when
  /// nothing but errors comes.
  void search(uint32_t effort, const WindowEnd& end, WorkerWindow* window, std::atomic<uint64_t>& done);

  /// Hands over what the series hasn't got yet.
  void flush() { seconds_.flush(); }

  /// Searches for each of the queries `first`, `first` + `step`, ... once, without counting.
  Status pass(uint32_t effort, uint32_t first, uint32_t step);

 private:
  VectorView next_batch(uint64_t most);
  Nanos due(Nanos begin);
  void wait_for(Nanos moment, Nanos limit);
  void score(WorkerWindow& window, std::vector<bool>& seen);
  /// Returns the exact answers to a query, with the new rows that its answer has at their places.
  std::span<const Neighbour> truth_with_new(uint32_t query);
  bool note_failure(const Error& error, WorkerWindow* window);

  const Settings& settings_;
  const SearchData& data_;
  const uint32_t rank_, ranks_;
  SearchSession& session_;
  world::Failure& failure_;
  io::SecondRecorder seconds_;
  std::vector<uint32_t> order_;
  size_t next_ = 0;  // in order_
  std::vector<uint32_t> batch_;
  VectorBlock vectors_;
  SearchAnswers answers_;
  std::vector<uint64_t> keys_;
  std::vector<Neighbour> truth_;
  std::vector<float> new_row_;
  std::mt19937_64 random_;
  double due_s_ = 0;  // after the begin of the window
  uint32_t failures_in_a_row_ = 0;
};

}  // namespace mlps::vectordb
