#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/periodic_thread.hpp"
#include "benchmarks/vectordb/engine.hpp"
#include "benchmarks/vectordb/record.hpp"
#include "benchmarks/vectordb/vector_source.hpp"
#include "world/failure.hpp"

namespace mlps::vectordb {

/// Inserts vectors at a steady rate while others search: a thread of its own, open only during windows. Batches are due
/// one after the other; one that is late is not left out. Keys follow those that the collection has.
class Inserter {
 public:
  /// Refers to all it is given. `source` has the rows that are inserted, by key. Flushes about once a second if
  /// `flushes`: the embedded engine keeps less than an object's size in memory otherwise.
  Inserter(SearchEngine& engine, const VectorSource& source, uint64_t first_key, double rate, uint32_t batch,
           bool flushes, world::Failure& failure);

  /// Starts to insert, for the window of this number.
  Status open(uint32_t window);
  /// Ends it, flushes, and returns what was inserted in the window.
  InsertWindow close();

  /// Returns the key behind the last one that was sent. Any thread may call it.
  uint64_t sent_end() const { return sent_end_; }
  /// Returns the key behind the last one that was accepted. Between windows.
  uint64_t end() const { return end_; }

 private:
  Nanos next_due();
  void insert_batch();
  Status flush();

  SearchEngine& engine_;
  const VectorSource& source_;
  const double rate_;
  const bool flushes_;
  world::Failure& failure_;
  VectorBlock block_;
  std::atomic<uint64_t> sent_end_;
  uint64_t end_;
  InsertWindow window_;
  Nanos begin_ns_ = 0, due_ns_ = 0, flushed_ns_ = 0;
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace mlps::vectordb
