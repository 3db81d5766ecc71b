#include "benchmarks/training/results/dlio_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "base/version.hpp"
#include "benchmarks/training/metrics.hpp"
#include "benchmarks/training/step_log.hpp"
#include "results/host_json.hpp"
#include "results/json_stream.hpp"
#include "results/record_common.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using training::Epoch;
using training::MeanAndDeviation;
using training::RankBlock;
using training::RunRecord;
using training::StepTimes;

constexpr int kIndent = 4;
constexpr int64_t kNanosPerMicro = 1000;

// Returns what the ranks of the host that has most of them read in an epoch.
double data_size_per_host_gib(const RunContext& context, const RunRecord& record) {
  uint64_t ranks = 0;
  for (const RunHost& host : hosts_of(context)) ranks = std::max<uint64_t>(ranks, host.ranks);
  const uint64_t samples = ranks * record.plan.samples_per_file * record.plan.files / record.plan.accelerators;
  return static_cast<double>(samples) * record.record_bytes / static_cast<double>(kGiB);
}

double per_mib(double samples_per_s, const RunRecord& record) {
  return samples_per_s * record.record_bytes / static_cast<double>(kMiB);
}

// The nine train_ or eval_ numbers.
void add_rates(Json& metric, const std::string& name, const std::vector<double>& au, const MeanAndDeviation& au_overall,
               const std::vector<double>& throughput, const MeanAndDeviation& throughput_overall,
               const RunRecord& record) {
  metric[name + "_au_percentage"] = au;
  metric[name + "_au_mean_percentage"] = au_overall.mean;
  metric[name + "_au_meet_expectation"] = training::meets_expectation(record, au_overall.mean) ? "success" : "fail";
  metric[name + "_au_stdev_percentage"] = au_overall.deviation;
  metric[name + "_throughput_samples_per_second"] = throughput;
  metric[name + "_throughput_mean_samples_per_second"] = throughput_overall.mean;
  metric[name + "_throughput_stdev_samples_per_second"] = throughput_overall.deviation;
  metric[name + "_io_mean_MB_per_second"] = per_mib(throughput_overall.mean, record);
  metric[name + "_io_stdev_MB_per_second"] = per_mib(throughput_overall.deviation, record);
}

Json metric_json(const RunRecord& record) {
  const training::Metrics metrics = training::metrics_of(record);
  Json metric = Json::object();
  add_rates(metric, "train", metrics.au, metrics.au_overall, metrics.throughput, metrics.throughput_overall, record);
  if (!metrics.eval_au.empty()) {
    add_rates(metric, "eval", metrics.eval_au, metrics.eval_au_overall, metrics.eval_throughput,
              metrics.eval_throughput_overall, record);
  }
  if (!metrics.save_seconds.empty()) {
    const MeanAndDeviation rate = training::mean_and_deviation(metrics.save_gib_per_s);
    const MeanAndDeviation duration = training::mean_and_deviation(metrics.save_seconds);
    metric["save_checkpoint_io_mean_GB_per_second"] = rate.mean;
    metric["save_checkpoint_io_stdev_GB_per_second"] = rate.deviation;
    metric["save_checkpoint_duration_mean_seconds"] = duration.mean;
    metric["save_checkpoint_duration_stdev_seconds"] = duration.deviation;
    for (const Epoch& epoch : record.epochs) {
      if (!epoch.checkpoints.empty()) metric["checkpoint_size_GB"] = to_gib(epoch.checkpoints.front().bytes);
    }
  }
  return metric;
}

// One of the per-step lists of an epoch, block by block.
void write_steps(JsonStream& json, const char* name, Nanos StepTimes::*member, const RunRecord& record,
                 const Epoch& epoch, uint32_t rank, Status& status) {
  json.begin_object(name);
  for (size_t i = 0; i < epoch.blocks.size(); ++i) {
    const training::Block& block = epoch.blocks[i];
    json.begin_list(fmt::format("block{}", i + 1));
    if (status && record.steps) {
      status = record.steps->read(rank, block.first_step, block.ranks[rank].steps,
                                  [&](const StepTimes& step) { json.seconds(step.*member); });
    }
    json.end_list();
  }
  json.end_object();
}

void write_block_rates(JsonStream& json, const char* name, double RankBlock::*member, const Epoch& epoch,
                       uint32_t rank) {
  json.begin_object(name);
  for (size_t i = 0; i < epoch.blocks.size(); ++i) {
    json.member(fmt::format("block{}", i + 1), epoch.blocks[i].ranks[rank].*member);
  }
  if (epoch.evaluation) json.member("eval", epoch.evaluation->ranks[rank].*member);
  json.end_object();
}

Json interval_json(const Stamp& start, const Stamp& end) {
  return {{"start", iso_local(start.wall_us)},
          {"end", iso_local(end.wall_us)},
          {"duration", fmt::format("{:.2f}", seconds_between(start, end))}};
}

Json saved_json(const training::SavedCheckpoint& saved) {
  const double seconds = to_seconds(saved.duration_ns);
  return {{"start", iso_local(saved.start.wall_us)},
          {"end", iso_local(saved.start.wall_us + saved.duration_ns / kNanosPerMicro)},
          {"duration", seconds},
          {"throughput", seconds > 0 ? to_gib(saved.bytes) / seconds : 0.0}};
}

/// Collects the lines of dlio.log, which stand by time: a checkpoint is saved between blocks.
class LogLines {
 public:
  void add(const Stamp& at, const std::string& text) { lines_.emplace_back(at.wall_us, text); }

  std::string text() {
    std::stable_sort(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string all;
    for (const auto& [at_us, text] : lines_) all += fmt::format("[OUTPUT] {} {}\n", iso_local(at_us), text);
    return all;
  }

 private:
  std::vector<std::pair<int64_t, std::string>> lines_;
};

/// Returns train.computation_time as DLIO shows it: a number, or what describes a distribution.
std::string set_compute_time(const RunContext& context) {
  constexpr std::string_view kKey = "train.computation_time";
  std::string parts;
  for (const auto& [key, value] : context.values) {
    if (key == kKey) return value.value;
    if (!key.starts_with(std::string(kKey) + '.')) continue;
    parts += fmt::format("{}'{}': {}", parts.empty() ? "" : ", ", key.substr(kKey.size() + 1), value.value);
  }
  return "{" + parts + "}";
}

/// Returns mean and deviation of the first rank's compute times in the window of a block, in seconds.
MeanAndDeviation window_compute(const RunRecord& record, const training::Block& block) {
  const uint64_t steps = block.ranks.front().steps;
  const uint64_t first = std::min<uint64_t>(record.excluded_start, steps);
  const uint64_t count = steps - first - std::min<uint64_t>(record.excluded_end, steps - first);
  std::vector<double> seconds;
  seconds.reserve(count);
  if (record.steps == nullptr) return {};
  const Status read = record.steps->read(0, block.first_step + first, count, [&](const StepTimes& step) {
    seconds.push_back(to_seconds(step.compute_ns));
  });
  return read ? training::mean_and_deviation(seconds) : MeanAndDeviation();  // the rank's own file reports the error
}

void add_block(const RunContext& context, const RunRecord& record, const Epoch& epoch, size_t index, LogLines& lines) {
  const RankBlock& first = epoch.blocks[index].ranks.front();
  const std::string head = fmt::format("Epoch {} - Block {} [Training]", epoch.number, index + 1);
  const MeanAndDeviation compute = window_compute(record, epoch.blocks[index]);
  lines.add(first.start, fmt::format("Starting block {}", index + 1));
  lines.add(first.end, fmt::format("Ending block {} - {} steps completed in {:.2f} s", index + 1, first.steps,
                                   seconds_between(first.start, first.end)));
  lines.add(first.end, fmt::format("{} Accelerator Utilization [AU] (%): {:.4f}", head, first.au));
  lines.add(first.end,
            fmt::format("{} Throughput (samples/second): {:.4f}", head, first.throughput * record.plan.accelerators));
  lines.add(first.end, fmt::format("{} Computation time per step (second): {:.4f}+/-{:.4f} (set value: {})", head,
                                   compute.mean, compute.deviation, set_compute_time(context)));
}

void add_checkpoint(const training::SavedCheckpoint& saved, size_t block, LogLines& lines) {
  const double seconds = to_seconds(saved.duration_ns);
  const Stamp end{saved.start.monotonic_ns + saved.duration_ns,
                  saved.start.wall_us + saved.duration_ns / kNanosPerMicro};
  lines.add(saved.start, fmt::format("Starting saving checkpoint {} after total step {} for epoch {}", block,
                                     saved.step, saved.epoch));
  lines.add(end, fmt::format("Finished saving checkpoint {} for epoch {} in {:.4f} s; Throughput: {:.4f} GiB/s", block,
                             saved.epoch, seconds, seconds > 0 ? to_gib(saved.bytes) / seconds : 0.0));
}

void add_evaluation(const RunRecord& record, const Epoch& epoch, LogLines& lines) {
  const training::Evaluation& evaluation = *epoch.evaluation;
  const std::string head = fmt::format("Epoch {} [Eval]", epoch.number);
  const RankBlock& first = evaluation.ranks.front();
  lines.add(evaluation.start, fmt::format("Starting eval - {} steps expected", record.plan.eval_steps));
  lines.add(evaluation.end, fmt::format("Ending eval - {} steps completed in {:.2f} s", record.plan.eval_steps,
                                        seconds_between(evaluation.start, evaluation.end)));
  lines.add(evaluation.end, fmt::format("{} Accelerator Utilization [AU] (%): {:.4f}", head, first.au));
  lines.add(evaluation.end,
            fmt::format("{} Throughput (samples/second): {:.4f}", head, first.throughput * record.plan.accelerators));
}

void add_epoch(const RunContext& context, const RunRecord& record, const Epoch& epoch, LogLines& lines) {
  lines.add(epoch.start,
            fmt::format("Starting epoch {}: {} steps expected", epoch.number, record.plan.steps_per_epoch));
  uint64_t steps = 0;
  for (size_t i = 0; i < epoch.blocks.size(); ++i) {
    add_block(context, record, epoch, i, lines);
    steps += epoch.blocks[i].ranks.front().steps;
  }
  for (size_t i = 0; i < epoch.checkpoints.size(); ++i) add_checkpoint(epoch.checkpoints[i], i + 1, lines);
  lines.add(epoch.trained, fmt::format("Ending epoch {} - {} steps completed in {:.2f} s", epoch.number, steps,
                                       seconds_between(epoch.start, epoch.trained)));
  if (epoch.evaluation && !epoch.evaluation->ranks.empty()) add_evaluation(record, epoch, lines);
}

std::string mean_and_deviation_text(double mean, double deviation) {
  return fmt::format("{:.4f} ({:.4f})", mean, deviation);
}

std::string metric_block(const RunRecord& record) {
  const training::Metrics metrics = training::metrics_of(record);
  const std::string rule = fmt::format("[METRIC] {:=<58}\n", "");
  const auto add = [&](std::string_view name, const char* io, const MeanAndDeviation& au,
                       const MeanAndDeviation& rate) {
    return fmt::format("[METRIC] {} Accelerator Utilization [AU] (%): {}\n", name,
                       mean_and_deviation_text(au.mean, au.deviation)) +
           fmt::format("[METRIC] {} Throughput (samples/second): {}\n", name,
                       mean_and_deviation_text(rate.mean, rate.deviation)) +
           fmt::format("[METRIC] {} {} (MiB/second): {}\n", name, io,
                       mean_and_deviation_text(per_mib(rate.mean, record), per_mib(rate.deviation, record)));
  };
  const auto expectation = [&](const char* name, bool met) {
    return fmt::format("[METRIC] {}_au_meet_expectation: {}\n", name, met ? "success" : "fail");
  };
  std::string text = rule;
  text += fmt::format("[METRIC] Number of Simulated Accelerators: {}\n", record.plan.accelerators);
  text += add("Training", "I/O Throughput", metrics.au_overall, metrics.throughput_overall);
  text += expectation("train", metrics.meets_expectation);
  if (!metrics.save_seconds.empty()) {
    const MeanAndDeviation seconds = training::mean_and_deviation(metrics.save_seconds);
    const MeanAndDeviation rate = training::mean_and_deviation(metrics.save_gib_per_s);
    text += fmt::format("[METRIC] Checkpoint save duration (seconds): {}\n",
                        mean_and_deviation_text(seconds.mean, seconds.deviation));
    text += fmt::format("[METRIC] Checkpoint save I/O Throughput (GiB/second): {}\n",
                        mean_and_deviation_text(rate.mean, rate.deviation));
  }
  if (!metrics.eval_au.empty()) {
    text += add("Eval", "Throughput", metrics.eval_au_overall, metrics.eval_throughput_overall);
    text += expectation("eval", training::meets_expectation(record, metrics.eval_au_overall.mean));
  }
  return text + rule;
}

}  // namespace

std::string summary_text(const RunContext& context, const RunRecord& record) {
  Json json = summary_head(context, record);
  json["metric"] = metric_json(record);
  json["num_files_train"] = record.plan.files;
  json["num_files_eval"] = record.plan.eval_files;
  json["num_samples_per_file"] = record.plan.samples_per_file;
  add_host_lists(json, hosts_at_start(context), data_size_per_host_gib(context, record));
  json["epochs"] = record.epochs.size();
  return indented(json, kIndent);
}

Status write_rank_output(const RunContext& context, const RunRecord& record, uint32_t rank, const Sink& sink) {
  Status steps_read;
  JsonStream json(sink);
  const RunMember& member = member_of_rank(context, rank);
  const Json host = rank_host_json(member.facts, data_size_per_host_gib(context, record));
  for (const auto& [name, value] : host.members()) json.member(name, value);
  for (const Epoch& epoch : record.epochs) {
    json.begin_object(std::to_string(epoch.number));
    write_steps(json, "load", &StepTimes::load_ns, record, epoch, rank, steps_read);
    write_steps(json, "proc", &StepTimes::proc_ns, record, epoch, rank, steps_read);
    write_block_rates(json, "throughput", &RankBlock::throughput, epoch, rank);
    write_block_rates(json, "au", &RankBlock::au, epoch, rank);
    write_steps(json, "compute", &StepTimes::compute_ns, record, epoch, rank, steps_read);
    json.member("host_meminfo", *host.find("host_meminfo"));
    json.member("end", iso_local(epoch.end.wall_us));
    json.end_object();
  }
  json.member("hostname", member.host);
  const Status written = json.finish();
  return steps_read ? written : steps_read;
}

std::string rank_stats_text(const RunRecord& record, uint32_t rank) {
  Json stats = Json::object();
  for (const Epoch& epoch : record.epochs) {
    Json json;
    json["start"] = iso_local(epoch.start.wall_us);
    for (size_t i = 0; i < epoch.blocks.size(); ++i) {
      const RankBlock& block = epoch.blocks[i].ranks[rank];
      json[fmt::format("block{}", i + 1)] = interval_json(block.start, block.end);
    }
    for (size_t i = 0; i < epoch.checkpoints.size(); ++i) {
      json[fmt::format("save_ckpt{}", i + 1)] = saved_json(epoch.checkpoints[i]);
    }
    if (epoch.evaluation) json["eval"] = interval_json(epoch.evaluation->start, epoch.evaluation->end);
    json["end"] = iso_local(epoch.end.wall_us);
    json["duration"] = fmt::format("{:.2f}", seconds_between(epoch.start, epoch.trained));
    stats[std::to_string(epoch.number)] = std::move(json);
  }
  return indented(stats, kIndent);
}

std::string dlio_log_text(const RunContext& context, const RunRecord& record) {
  LogLines lines;
  lines.add(record.run_start, fmt::format("Running DLIO [Training] with {} process(es): {} by mlpstorage {} (build {})",
                                          record.plan.accelerators, record.model, version_text(), build_id()));
  lines.add(record.run_start,
            fmt::format("{} files of {} samples, batch {}: {} steps per epoch", record.plan.files,
                        record.plan.samples_per_file, record.plan.batch_size, record.plan.steps_per_epoch));
  for (const Epoch& epoch : record.epochs) add_epoch(context, record, epoch, lines);
  const bool passed = record.verdict == run::Verdict::kPassed;
  return lines.text() + (passed ? metric_block(record) : no_metric_block(record, record.run_end.wall_us));
}

}  // namespace mlps::results
