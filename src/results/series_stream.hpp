#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "world/sampler.hpp"
#include "world/transport.hpp"

/// The time series of one host on its way to process 0: a head, then its samples as JSON, in pieces.
namespace mlps::results {

/// Holds the facts about a series beside its samples. Times are of process 0's wall clock.
struct SeriesHead {
  std::string host;
  double requested_interval_s = 0, interval_s = 0;
  int64_t start_us = 0, end_us = 0;
  uint64_t samples = 0, samples_taken = 0;
  Nanos cost_ns = 0;
};
world::Bytes pack(const SeriesHead& head);
/// Unpacks what `whose` ("host b") packed. Fails with E503 for other bytes.
Result<SeriesHead> unpack_series_head(const std::string& whose, std::string_view bytes);

/// Yields the series of one process, which must outlive this object, piece by piece. Of several processes on one host
/// only the first has pieces, as the counters are those of the host.
class SeriesStream {
 public:
  SeriesStream(const world::TimeSeries& series, const std::vector<world::Member>& members, uint32_t process);

  /// Returns first the packed head, then the elements of a JSON list, whole ones with their commas, about 1 MiB at a
  /// time; empty at the end.
  world::Bytes next();

 private:
  int64_t shifted_us(const world::HostSample& sample) const;

  const world::TimeSeries& series_;
  const std::string host_;
  const bool speaks_;
  const int64_t clock_ahead_us_;
  bool head_given_ = false;
  size_t given_ = 0;  // samples
};

}  // namespace mlps::results
