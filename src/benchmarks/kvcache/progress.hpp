#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "benchmarks/kvcache/run.hpp"
#include "io/series.hpp"
#include "live/meter.hpp"

namespace mlps::kvcache {

/// Returns how much of all windows of a run is over, and how long the rest takes: windows and pauses between options,
/// not what is prepared between windows. `windows` have ended, and the next one is `elapsed_s` old. Nothing where a
/// window ends with its requests.
struct WindowsDone {
  double share = 0;
  double left_s = 0;
  uint64_t pauses = 0;  ///< between options, that are still to come
};
std::optional<WindowsDone> windows_done(const Settings& settings, uint64_t windows, double elapsed_s);

/// Tells how the windows of a run go.
class ProgressMeter {
 public:
  /// All that it is given outlives the meter.
  ProgressMeter(const RunRequest& request, world::World& world, const io::SharedSeries& series);

  // By the host's first rank:

  /// What the window of this option and trial is to find is stored.
  void prepare(size_t option, uint32_t trial);
  /// The window begins, or has ended; in between, `bytes` of storage were moved so far.
  void open();
  void moved(uint64_t bytes);
  void close();

  /// A rank of this host, from 0, has served so many requests of its window, and others wait or are in service. By the
  /// thread of the rank.
  void tell(uint32_t place, uint64_t served, uint64_t in_service, uint64_t waiting);

 private:
  struct Counts {
    std::atomic<uint64_t> served{0}, in_service{0}, waiting{0};
  };

  bool fill(live::State& state);

  const Settings& settings_;
  const io::SharedSeries& series_;
  live::State base_;            // what does not change
  std::vector<Counts> counts_;  // by rank

  std::mutex mutex_;
  bool begun_ = false, is_open_ = false;
  size_t option_ = 0;
  uint32_t trial_ = 0;
  Nanos opened_ns_ = 0;
  uint64_t closed_bytes_ = 0, window_bytes_ = 0;
  uint64_t closed_served_ = 0;
  live::Meter meter_;
};

}  // namespace mlps::kvcache
