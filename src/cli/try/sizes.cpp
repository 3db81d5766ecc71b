#include "cli/try/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "workloads/training_workload.hpp"

namespace mlps::cli {
namespace {

// AU leaves out the first step of an epoch, and what is read ahead in it: with many steps that is little.
constexpr double kSteps = 16;
constexpr double kFewSteps = 8;
// Epochs of a run, for a spread to be known.
constexpr double kEpochs = 3;
// A first checkpoint's rate must promise so many accelerators before they are tried.
constexpr double kPromised = 1.5;
// Of the time, in which the data set is written; twice that at a place where samples would be too small.
constexpr double kDataShare = 0.10;
constexpr double kLeastSample = 256.0 * 1024;
// Below, the time of a request begins to count besides that of its bytes.
constexpr double kGoodSample = 4.0 * 1024 * 1024;
constexpr double kLeastSeconds = 5;
constexpr double kMostSeconds = 3600;
constexpr double kWholeData = 256.0 * 1024 * 1024 * 1024;

// Bytes of a request's mean entry, of which each of eight devices that share it stores a part, and what is read for
// one.
struct OffloadModel {
  const char* name;
  double entry_bytes;
};
constexpr OffloadModel kOffloadModels[] = {{"llama3.1-8b", 72.5e6}, {"tiny-1b", 13.6e6}};
constexpr double kReadsPerRequest = 5;
constexpr double kRequestsPerWindow = 3;
constexpr uint32_t kMostUsers = 8;

double most_bytes(const TryLimits& limits, double seconds, double rate) {
  return std::min({static_cast<double>(limits.room_bytes), seconds * rate, kWholeData});
}

}  // namespace

Result<std::vector<TryAccelerator>> try_accelerators() {
  std::vector<TryAccelerator> all;
  for (const TryModel& model : kTryModels) {
    for (const char* name : {"b200", "h100", "a100"}) {
      const auto workload = workloads::load_training_workload(model.word, name, {});
      if (!workload) return fail(workload.error());
      all.push_back({model, name, workload->reader.batch_size, workload->dataset.record_bytes,
                     workload->training.computation_time.first, workload->metric.au});
    }
  }
  std::sort(all.begin(), all.end(), [](const TryAccelerator& one, const TryAccelerator& other) {
    return one.bytes_per_s() < other.bytes_per_s();
  });
  return all;
}

const TryAccelerator& choose_accelerator(const std::vector<TryAccelerator>& all, const std::string& wanted,
                                         const TryRates& rates) {
  const TryAccelerator* chosen = &all.front();
  for (const TryAccelerator& one : all) {
    if (wanted.empty() ? one.expected_of(rates.read) >= kPromised
                       : one.name == wanted && one.model.word == kTryModels[0].word) {
      chosen = &one;
    }
  }
  return *chosen;
}

TryDataSet try_data_set(const TryLimits& limits, const TryRates& rates, const TryAccelerator& accelerator,
                        double trial_s) {
  const double expected = std::max(1.0, std::floor(accelerator.expected_of(rates.read)));
  // Twice as many as are expected are tried, too.
  const double batches = static_cast<double>(accelerator.batch) * 2 * expected;
  const double write_rate = rates.write * accelerator.model.small_files;
  const double good = std::min(kGoodSample, accelerator.sample_bytes);
  const double read_in_time = rates.read * accelerator.model.small_files * trial_s / kEpochs;
  double bytes = std::min(most_bytes(limits, kDataShare * limits.seconds, write_rate), read_in_time);
  double files = kSteps * batches;
  double most_sample = accelerator.sample_bytes;
  if (bytes / files < good) {
    bytes = most_bytes(limits, 2 * kDataShare * limits.seconds, write_rate);
    files = std::max(kFewSteps * batches, std::min(files, std::floor(bytes / good)));
    most_sample = good;
  }
  const double least_sample = std::min(kLeastSample, accelerator.sample_bytes);
  const double sample = std::clamp(bytes / files, least_sample, most_sample);
  if (sample == accelerator.sample_bytes) files = std::max(files, std::floor(bytes / sample));
  TryDataSet data;
  data.files = static_cast<uint64_t>(files);
  data.sample_bytes = static_cast<uint64_t>(sample);
  data.share = static_cast<double>(data.sample_bytes) / accelerator.sample_bytes;
  data.first = static_cast<uint64_t>(expected);
  data.most = std::max<uint64_t>(1, data.files / (2 * accelerator.batch));
  return data;
}

uint32_t try_epochs(const TryDataSet& data, const TryAccelerator& accelerator, double read_rate, uint64_t accelerators,
                    double seconds) {
  const auto ranks = static_cast<double>(accelerators);
  const double steps = std::floor(static_cast<double>(data.files) / (static_cast<double>(accelerator.batch) * ranks));
  const double reading = static_cast<double>(data.bytes()) / read_rate;
  const double computing = steps * accelerator.compute_s * data.share;
  return static_cast<uint32_t>(std::clamp(std::round(seconds / std::max(reading, computing)), 1.0, 10'000.0));
}

double try_au_percent(const TryDataSet& data, const TryAccelerator& accelerator, uint64_t accelerators,
                      double au_percent, double read_rate) {
  const auto ranks = static_cast<double>(accelerators);
  const double steps = std::floor(static_cast<double>(data.files) / (static_cast<double>(accelerator.batch) * ranks));
  const double served = read_rate / (ranks * accelerator.bytes_per_s()) * (steps + 1) / std::max(steps, 1.0);
  return std::min(au_percent, 100 * served);
}

uint64_t try_checkpoint_bytes(const TryLimits& limits, const TryRates& rates, double seconds, uint32_t count) {
  const double of_each = seconds / (1 / rates.write + 1 / rates.read) / count;
  return static_cast<uint64_t>(std::min(of_each, static_cast<double>(limits.room_bytes) / count));
}

TryUsers try_users(const TryRates& rates, double seconds) {
  for (const OffloadModel& model : kOffloadModels) {
    const double request_s = model.entry_bytes * (kReadsPerRequest / rates.read + 1 / rates.write);
    const double users = std::floor(seconds / kRequestsPerWindow / request_s);
    if (users < 1 || (users < kMostUsers / 2 && &model != std::end(kOffloadModels) - 1)) continue;
    return {model.name, static_cast<uint32_t>(std::min<double>(users, kMostUsers))};
  }
  return {};
}

Result<double> parse_try_time(const std::string& text) {
  std::string number = lower(trimmed(text));
  double unit = 1;
  if (number.ends_with('m')) unit = 60;
  if (number.ends_with('m') || number.ends_with('s')) number.pop_back();
  const auto value = parse_number<double>(number);
  if (value && *value * unit >= kLeastSeconds && *value * unit <= kMostSeconds) return *value * unit;
  return fail(ErrorCode::kConfigInvalid, fmt::format("--time {}: not a time from 5 s to an hour", text), {},
              "for example --time 60s, or --time 5m");
}

}  // namespace mlps::cli
