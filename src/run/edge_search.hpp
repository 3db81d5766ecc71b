#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// The search for the edge: the greatest load that still meets a threshold, found with few trials. Knows nothing of
/// what is loaded; nothing here does I/O or waits.
namespace mlps::run {

/// What one trial at a load says.
struct EdgeTrial {
  bool met = false;             ///< the threshold was held
  double value = 0;             ///< what was compared with the threshold, in the caller's unit
  bool client_limited = false;  ///< this program or its host, not the storage, kept it from more
  /// The greatest load that these figures let expect, if they let expect one. Only ever saves trials.
  std::optional<double> guess = std::nullopt;
};

struct EdgeQuestion {
  uint64_t first = 1;         ///< load of the first trial; brought into 1 to `bound`
  uint64_t bound = 1;         ///< no trial asks for more; at least 1
  uint32_t repeats = 3;       ///< trials at the edge, the one that found it included; at least 1
  uint32_t most_trials = 12;  ///< at all, repetitions included; more than `repeats`
  double tolerance = 0.05;    ///< the edge may be short of the true one by this share
};

struct EdgePoint : EdgeTrial {
  uint64_t load = 0;
};

enum class EdgeStop {
  kFound,     ///< the next load that counts did not meet the threshold
  kNeverMet,  ///< not even a load of 1 did
  kBound,     ///< `bound` did: the true edge may be above
  kClient,    ///< as kFound or kNeverMet, but the client was the limit there
  kTrials,    ///< the trials were used up before the edge was known to `tolerance`
  kError,     ///< a trial failed
};
std::string_view edge_stop_name(EdgeStop stop);  ///< "found", "never_met", "bound", "client", "trials", "error"

struct EdgeAnswer {
  EdgeStop stop = EdgeStop::kError;
  std::optional<uint64_t> edge;     ///< the greatest load that met the threshold in most of its trials
  std::optional<uint64_t> not_met;  ///< the least load that did not
  std::vector<EdgePoint> points;    ///< all trials, in the order made
  std::optional<Error> error;       ///< kError

  /// Returns the values of all trials at `load`, in the order made.
  std::vector<double> values_at(uint64_t load) const;
};

/// Searches for the edge. Loads double for as long as the trials that are left would suffice for all loads up to the
/// bound, and grow faster where they would not; then the interval is halved on a logarithmic scale, or cut where the
/// figures of the trial above guess the edge, as long as there are trials enough to be wrong. The edge is repeated, and
/// given up for a lower load if most of its trials missed the threshold. Without noise, whatever the guesses, the edge
/// is found to the tolerance when `first` is 1 and the bound at most a million.
EdgeAnswer search_edge(const EdgeQuestion& question, const std::function<Result<EdgeTrial>(uint64_t load)>& trial);

}  // namespace mlps::run
