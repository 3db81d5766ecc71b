#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "benchmarks/vectordb/run.hpp"
#include "io/series.hpp"
#include "live/meter.hpp"

namespace mlps::vectordb {

/// Tells how a load or a search of vectors goes. Any thread may call anything.
class ProgressMeter {
 public:
  /// `counted` goes up with every vector inserted, or every query answered in a window. All that it is given outlives
  /// the meter.
  ProgressMeter(const RunRequest& request, world::World& world, const std::atomic<uint64_t>& counted,
                io::SharedSeries& series);

  /// The run is in `phase` from now on, where so many `parts` of `total` are done ("row"); of `total` 0 nothing is
  /// counted. A call with the phase that it is in only counts on.
  void enter(std::string_view phase, std::string_view part = {}, uint64_t done = 0, uint64_t total = 0);
  /// A window begins, `number` from 1 of `windows`.
  void open_window(uint32_t number, size_t windows);

 private:
  bool fill(live::State& state);
  void fill_window(live::State& state) const;

  const RunRequest& request_;
  const std::atomic<uint64_t>& counted_;
  io::SharedSeries& series_;
  live::State base_;  // what does not change

  std::mutex mutex_;
  std::string phase_;
  live::Part part_;
  Nanos entered_ns_ = 0;
  size_t windows_ = 0;  // 0: none is open
  live::Meter meter_;
};

}  // namespace mlps::vectordb
