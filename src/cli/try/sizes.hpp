#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/try/words.hpp"

/// What `try` runs, as a function of a place's probed rates, its room, and the time. Nothing here does I/O.
namespace mlps::cli {

/// Tells what may be spent on one place.
struct TryLimits {
  double seconds = 60;      ///< for everything, probe and removal included
  uint64_t room_bytes = 0;  ///< most that is stored at once
};

/// Bytes per second that a first checkpoint was written and read with.
struct TryRates {
  double write = 0, read = 0;
};

/// What one accelerator asks of storage for a model.
struct TryAccelerator {
  TryModel model;
  std::string name;  ///< "b200"
  uint64_t batch = 1;
  double sample_bytes = 0;
  double compute_s = 0;  ///< of a batch
  double threshold = 0;  ///< of AU, a fraction

  double bytes_per_s() const { return static_cast<double>(batch) * sample_bytes / compute_s; }
  /// Returns how many of them a rate keeps at the threshold, if it is shared evenly.
  double fed_by(double rate) const { return rate / (threshold * bytes_per_s()); }
  /// Returns the same of the rate of large files.
  double expected_of(double rate) const { return fed_by(rate * model.small_files); }
};

/// Returns b200, h100 and a100 for each model of `try`, by what one asks for, least first.
Result<std::vector<TryAccelerator>> try_accelerators();

/// Returns the accelerator of `all` that tells most about a place: of those that its rate is expected to feed, the one
/// that asks for most; the first where it is to feed none. With `wanted` ("b200"), that one on U-Net3D.
const TryAccelerator& choose_accelerator(const std::vector<TryAccelerator>& all, const std::string& wanted,
                                         const TryRates& rates);

/// A data set whose samples and compute times are both a `share` of the model's, so that what an accelerator asks for
/// in a second stays: then a few gigabytes are enough for many steps.
struct TryDataSet {
  uint64_t files = 0;
  uint64_t sample_bytes = 0;
  double share = 1;
  uint64_t first = 1;  ///< accelerators of the first run
  uint64_t most = 1;   ///< accelerators that have two steps in an epoch

  uint64_t bytes() const { return files * sample_bytes; }
};
/// Returns one that is written in about a tenth of the time, and read often enough in `trial_s` to know a spread.
TryDataSet try_data_set(const TryLimits& limits, const TryRates& rates, const TryAccelerator& accelerator,
                        double trial_s);

/// Returns the epochs that `accelerators` need for about `seconds`.
uint32_t try_epochs(const TryDataSet& data, const TryAccelerator& accelerator, double read_rate, uint64_t accelerators,
                    double seconds);

/// Returns the AU that a run of few steps tells, in percent: the measured one, or the share of what the accelerators
/// ask for that was read, if that is less. What is read ahead in the step that AU leaves out is much of so few steps,
/// and would let a place look faster than it is. A step more counts for the start of each epoch.
double try_au_percent(const TryDataSet& data, const TryAccelerator& accelerator, uint64_t accelerators,
                      double au_percent, double read_rate);

/// Returns the bytes of one of `count` checkpoints that are all written, then all read, in `seconds`.
uint64_t try_checkpoint_bytes(const TryLimits& limits, const TryRates& rates, double seconds, uint32_t count);

/// Users of a KV cache whose requests a place can answer in a window.
struct TryUsers {
  std::string model;
  uint32_t users = 0;
};
/// Returns the largest model and the most users (up to eight) of whom each can be answered three times in `seconds`; no
/// users where the place is too slow even for one. Reads count: a request has one write and about five reads.
TryUsers try_users(const TryRates& rates, double seconds);

/// Returns the seconds that "90", "90s" or "2m" says. E102 for others, and below 5 s or above an hour.
Result<double> parse_try_time(const std::string& text);

}  // namespace mlps::cli
