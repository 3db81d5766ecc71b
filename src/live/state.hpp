#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a run goes, while it goes on. Every benchmark fills the same state; screen, lines, file and metrics are made of
/// it, so none of them can tell what another doesn't.
namespace mlps::live {

/// Says how far a run has come in one of the things that it counts: epoch 2 of 5, step 270 of 500.
struct Part {
  std::string word;
  uint64_t number = 0;
  uint64_t total = 0;  ///< 0: not known beforehand
};

/// Holds how a run goes at one moment, as process 0 knows it. What a benchmark doesn't have, and what isn't known yet,
/// is absent.
struct State {
  std::string what;       ///< "training unet3d"
  std::string scale;      ///< "8 x b200", "64 ranks"
  std::string place;      ///< the storage
  std::string host;       ///< whose figures these are, of a job on several hosts; empty: they are of all
  std::string phase;      ///< what is being done: "train", "write", "pause"
  bool is_aside = false;  ///< the phase is another than `parts` counts
  std::string moving;     ///< what the bytes are: "read", "write", "storage"
  std::string item;       ///< what the items are: "samples", "requests"
  std::string left_with;  ///< what left_s counts beside the work itself: "14 pauses"
  std::vector<Part> parts;
  std::vector<double> epoch_au;  ///< of the epochs that have ended, in percent
  std::vector<double> history;   ///< bytes in each of the last seconds, the latest last

  std::optional<double> elapsed_s, left_s, pause_left_s, done_share;
  std::optional<double> bytes, bytes_per_s, mean_bytes_per_s, best_bytes_per_s, worst_bytes_per_s, wanted_bytes_per_s;
  std::optional<double> items, items_per_s;
  std::optional<double> au_percent, au_now_percent, au_needed_percent;
  std::optional<double> idle_storage_share, idle_ranks_share, idle_client_share;
  std::optional<double> latency_p50_s, latency_p99_s, latency_max_s;
  std::optional<double> commit_p50_s, commit_p99_s, commit_max_s;
  std::optional<double> retries, cached_share, in_service, waiting;
  std::optional<double> slowest_rank, slowest_s, slowest_mean_s, slowest_waits_share, mean_waits_share;
};

/// Takes a state that shall be shown.
using Show = std::function<void(const State&)>;

/// Describes one figure of a state: its name in JSON, and what it is.
struct Figure {
  std::string_view name;  ///< with its unit: _s, _bytes, _per_s, _percent (of 100), _share (of 1)
  std::optional<double> State::*value;
  bool counts = false;  ///< only grows while the run goes on
  std::string_view help;
};

/// Lists all figures, in the order in which they are published.
inline constexpr auto kFigures = std::to_array<Figure>({
    {"elapsed_s", &State::elapsed_s, false, "Time since the command began."},
    {"left_s", &State::left_s, false, "Estimate of the time that the run still takes, pauses included."},
    {"pause_left_s", &State::pause_left_s, false, "Rest of the pause that the plan has at this moment."},
    {"done_share", &State::done_share, false, "Part of the run's work that is done."},
    {"bytes", &State::bytes, true, "Bytes moved to and from the storage."},
    {"bytes_per_s", &State::bytes_per_s, false, "Throughput over the last two seconds."},
    {"mean_bytes_per_s", &State::mean_bytes_per_s, false, "Mean throughput of this phase, pauses left out."},
    {"best_bytes_per_s", &State::best_bytes_per_s, false, "Highest throughput of a checkpoint of this phase."},
    {"worst_bytes_per_s", &State::worst_bytes_per_s, false, "Lowest throughput of a checkpoint of this phase."},
    {"wanted_bytes_per_s", &State::wanted_bytes_per_s, false, "Throughput at which no accelerator waits."},
    {"items", &State::items, true, "Samples, files, requests, vectors or queries done."},
    {"items_per_s", &State::items_per_s, false, "Items over the last two seconds."},
    {"au_percent", &State::au_percent, false, "Accelerator utilisation of this epoch so far."},
    {"au_now_percent", &State::au_now_percent, false, "Accelerator utilisation over the last two seconds."},
    {"au_needed_percent", &State::au_needed_percent, false, "Accelerator utilisation that the rules ask for."},
    {"idle_storage_share", &State::idle_storage_share, false, "Accelerator time spent waiting for data."},
    {"idle_ranks_share", &State::idle_ranks_share, false, "Accelerator time spent waiting for other accelerators."},
    {"idle_client_share", &State::idle_client_share, false, "Accelerator time spent waiting for this program."},
    {"latency_p50_s", &State::latency_p50_s, false, "Median latency of what moves data, in this phase."},
    {"latency_p99_s", &State::latency_p99_s, false, "99th percentile of these latencies."},
    {"latency_max_s", &State::latency_max_s, false, "Highest of these latencies."},
    {"commit_p50_s", &State::commit_p50_s, false, "Median time of a commit (fsync, completion of an upload)."},
    {"commit_p99_s", &State::commit_p99_s, false, "99th percentile of the times of commits."},
    {"commit_max_s", &State::commit_max_s, false, "Longest commit."},
    {"retries", &State::retries, true, "Requests that were repeated."},
    {"cached_share", &State::cached_share, false, "Part of what is read that was in the page cache before."},
    {"in_service", &State::in_service, false, "Requests in service."},
    {"waiting", &State::waiting, false, "Requests that wait for service."},
    {"slowest_rank", &State::slowest_rank, false, "Number of the slowest rank."},
    {"slowest_s", &State::slowest_s, false, "Time of the slowest rank for the last checkpoint."},
    {"slowest_mean_s", &State::slowest_mean_s, false, "Mean time of a rank for the last checkpoint."},
    {"slowest_waits_share", &State::slowest_waits_share, false, "Time that the slowest rank waits for data."},
    {"mean_waits_share", &State::mean_waits_share, false, "Time that a rank waits for data, on average."},
});

}  // namespace mlps::live
