#include "cli/try/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/try/words.hpp"
#include "reports/page/page.hpp"

namespace mlps::cli {
namespace {

// The first checkpoint of the probe; the following ones are eight times as large.
constexpr double kFirstScale = 0.0005;
constexpr double kProbeGrows = 8;
constexpr unsigned kMostProbes = 4;
// Shares of the time.
constexpr double kDataUntil = 0.25;  // the data set is expected to be there
constexpr double kProbeShare = 0.05;
constexpr double kCheckpointShare = 0.35;  // less where there is no room for so much; the KV cache has the rest
// Rates differ from moment to moment; checkpoints take what is left over in the end.
constexpr double kSafety = 0.9;
constexpr double kFirstRound = 0.6;
constexpr double kLeastRound = 0.05;
constexpr size_t kMostRounds = 5;
constexpr double kLeastWindow = 3;
constexpr double kSearchShare = 0.07;
// The removal of checkpoints, and the report.
constexpr double kEndShare = 0.03;
constexpr double kVectors = 2000;
// A search of a graph makes some forty reads one after the other; from here on that takes too long, and lists are
// searched.
constexpr double kSlowPartNs = 10e6;
// What a run of a KV cache says if the place was too slow for a single request.
constexpr std::string_view kNothingAnswered = "no request was completed";
constexpr uint64_t kOffloadRoom = 2 * kGiB;
constexpr int kNotFound = 3;  // the exit status of a removal that finds nothing

std::vector<std::string> operator+(std::vector<std::string> one, const std::vector<std::string>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

Result<reports::page::RunView> view_of_run(const rules::Document& record) {
  return reports::page::read_run(record.at("invocation.run_folder").text_or(""));
}

}  // namespace

double TrySession::left_s() const {
  return settings_.seconds * (1 - kEndShare) - runner_.elapsed_s();
}

double TrySession::checkpoint_s() const {
  const double room_s = static_cast<double>(place_.room_bytes) * (1 / rates_.write + 1 / rates_.read);
  return std::min(kCheckpointShare * settings_.seconds, room_s);
}

TrySession::Words TrySession::command(Words benchmark, Words more) const {
  Words words = Words{"whatif"} + benchmark + place_.words() + more;
  words = words + Words{"--results-dir", settings_.results_dir,       "--systemname", settings_.system,
                        "--quiet",       "--skip-fs-separation-gate", "--hosts",      "127.0.0.1"};
  if (!settings_.fault.empty()) words = words + Words{"--inject-fault", settings_.fault};
  return words;
}

Result<rules::Document> TrySession::run_checkpoints(double scale, uint32_t count, const std::string& what) {
  const std::string number = std::to_string(count);
  Words words = command({"checkpointing", "run"},
                        {"--checkpoint-folder", place_.folder("checkpoint"), "--model", std::string(kTryCheckpoint),
                         "--num-processes", "8", "--size-scale", fmt::format("{:.9f}", std::clamp(scale, 1e-7, 1.0)),
                         "--num-checkpoints-write", number, "--num-checkpoints-read", number});
  auto record = runner_.run(words + Words{"--params", "checkpoint.time_between_checkpoints=0"}, what);
  if (Status gone = remove(place_.folder("checkpoint")); record && !gone) return fail(gone.error());
  return record;
}

Status TrySession::probe() {
  double scale = kFirstScale;
  for (unsigned tries = 0; tries < kMostProbes; ++tries) {
    const auto record = run_checkpoints(scale, 1, "a first checkpoint");
    if (!record) return fail(record.error());
    const auto wrote = record->at("write.metrics.gib_per_s").number();
    const auto read = record->at("read.metrics.gib_per_s").number();
    const auto bytes = record->at("plan.checkpoint_bytes").number();
    if (!wrote || !read || !bytes || *wrote <= 0 || *read <= 0) {
      return fail(ErrorCode::kInternal, "the record of the first checkpoint has no rates");
    }
    part_latency_ns_ = record->at("read.latency.part.p50_ns").number().value_or(kSlowPartNs);
    rates_ = {*wrote * static_cast<double>(kGiB), *read * static_cast<double>(kGiB)};
    checkpoint_bytes_ = *bytes / scale;
    const double took = *bytes / rates_.write + *bytes / rates_.read;
    const double longer = took * kProbeGrows;
    if (longer > kProbeShare * settings_.seconds || *bytes * kProbeGrows > static_cast<double>(place_.room_bytes))
      break;
    scale *= kProbeGrows;
  }
  return {};
}

Status TrySession::generate(const TryDataSet& data) {
  if (place_.is_null()) return {};
  const Words params{"--params", fmt::format("dataset.num_files_train={}", data.files),
                     fmt::format("dataset.record_length_bytes={}", data.sample_bytes),
                     "dataset.record_length_bytes_stdev=0"};
  const auto record =
      runner_.run(command({"training", std::string(accelerator_.model.word), "datagen"},
                          Words{"--data-dir", place_.folder("training"), "--num-processes", "4"} + params),
                  fmt::format("a data set of {}", human_bytes(data.bytes())));
  return record ? Status() : fail(record.error());
}

Result<run::EdgeTrial> TrySession::train_with(uint64_t accelerators, const TryDataSet& data, TryPart& part) {
  const TryAccelerator& one = accelerator_;
  const double rate = best_read_ > 0 ? best_read_ : rates_.read * one.model.small_files;
  const auto trials_left = static_cast<double>(std::max<size_t>(most_trials() - trials_.size(), 1));
  const double seconds = std::max(0.0, training_until_s_ - runner_.elapsed_s()) / trials_left;
  const Words flags{"--data-dir",         place_.folder("training"),
                    "--num-accelerators", std::to_string(accelerators),
                    "--accelerator-type", one.name,
                    "--read-ahead",       std::to_string(2 * one.batch * data.sample_bytes)};
  const Words params{"--params",
                     fmt::format("dataset.num_files_train={}", data.files),
                     fmt::format("dataset.record_length_bytes={}", data.sample_bytes),
                     "dataset.record_length_bytes_stdev=0",
                     "dataset.listing_validation_interval=0",
                     fmt::format("train.computation_time={:.9f}", one.compute_s * data.share),
                     fmt::format("train.epochs={}", try_epochs(data, one, rate, accelerators, seconds))};
  const std::string model(one.model.word);
  const auto record = runner_.run(command({"training", model, "run"}, flags + params),
                                  fmt::format("{}, {} x {}", one.model.name, accelerators, one.name));
  if (!record) return fail(record.error());
  const auto au = record->at("metrics.au.mean").number();
  const auto read = record->at("metrics.read_bytes_per_s").number();
  if (!au || !read) return fail(ErrorCode::kInternal, "the record of a training run has no AU");
  auto view = view_of_run(*record);
  if (!view) return fail(view.error());
  trials_.emplace_back(accelerators, std::move(*view));
  best_read_ = std::max(best_read_, *read);
  const double told = try_au_percent(data, one, accelerators, *au, *read);
  const bool met = told >= 100 * one.threshold;
  part.figures["trials"].push_back({{"accelerators", accelerators},
                                    {"au_percent", told},
                                    {"measured_au_percent", *au},
                                    {"read_bytes_per_s", *read}});
  return run::EdgeTrial{met, told, (*record)["caveats"].size() > 0,
                        met ? std::nullopt : std::optional(std::floor(one.fed_by(*read)))};
}

run::EdgeAnswer TrySession::find_edge(const TryDataSet& data, TryPart& part) {
  run::EdgeQuestion question;
  question.first = data.first;
  question.bound = data.most;
  question.repeats = settings_.seconds < 30 ? 1 : 2;
  question.most_trials = most_trials();
  return run::search_edge(question, [&](uint64_t accelerators) { return train_with(accelerators, data, part); });
}

TryPart TrySession::train() {
  TryPart part;
  part.name = "training";
  accelerator_ = choose_accelerator(settings_.accelerators, settings_.accelerator, rates_);
  part.figures = {{"model", accelerator_.model.word}, {"accelerator", accelerator_.name}, {"trials", Json::array()}};
  const TryDataSet data = try_data_set(limits_, rates_, accelerator_, trial_s());
  if (Status made = generate(data); !made) {
    part.error = made.error();
    return part;
  }
  // What was lost so far is not lost for the other parts.
  training_until_s_ =
      std::min(runner_.elapsed_s(), kDataUntil * settings_.seconds) + kTrainingShare * settings_.seconds;
  const run::EdgeAnswer answer = find_edge(data, part);
  part.error = answer.error;
  part.figures["sample_bytes"] = data.sample_bytes;
  part.figures["feeds"] = answer.edge ? Json(*answer.edge) : answer.stop == run::EdgeStop::kNeverMet ? Json(0) : Json();
  part.figures["stopped_by"] = run::edge_stop_name(answer.stop);
  part.figures["does_not_feed"] = answer.not_met ? Json(*answer.not_met) : Json();
  part.figures["read_bytes_per_s"] = best_read_;
  part.figures["feeds_by_rate"] = accelerator_.fed_by(best_read_);
  part.headline = feeds_phrases(answer, best_read_, accelerator_, settings_.accelerators);
  // What failed tells what limits; what was fed is the result.
  for (auto& [accelerators, view] : trials_) {
    if (accelerators == answer.not_met) part.limit = view.limit;
  }
  if (part.limit.empty() && !trials_.empty()) part.limit = trials_.back().second.limit;
  for (const auto wanted : {answer.edge, answer.not_met}) {
    const auto found = std::find_if(trials_.begin(), trials_.end(), [&](auto& trial) { return trial.first == wanted; });
    if (found != trials_.end()) part.runs.push_back(found->second);
  }
  if (Status gone = remove(place_.folder("training")); !gone && !part.error) part.error = gone.error();
  return part;
}

void TrySession::finish(TryPart& part, Words words, const std::string& what,
                        std::vector<std::string> (*phrases)(const rules::Document&)) {
  const auto record = runner_.run(std::move(words), what);
  auto view = record ? view_of_run(*record) : fail(record.error());
  if (!view) {
    part.error = view.error();
    return;
  }
  part.headline = phrases(*record);
  part.limit = view->limit;
  part.runs.push_back(std::move(*view));
}

TryPart TrySession::offload() {
  TryPart part;
  part.name = "kvcache";
  if (place_.room_bytes < kOffloadRoom) {
    part.left_out = "it needs 8 GiB of free space";
    return part;
  }
  const double seconds = std::max(kLeastWindow, kSafety * left_s() - checkpoint_s());
  const TryUsers users = try_users(rates_, seconds);
  if (users.users == 0) {
    part.left_out = fmt::format("no request would be answered in {:.0f} s; take more --time", seconds);
    return part;
  }
  const double gib = std::min(to_gib(place_.room_bytes), 64.0);
  Words flags{"--cache-dir", place_.folder("kvcache"), "--model", users.model, "--option", "1", "--trials", "1"};
  flags = flags + Words{"--duration", fmt::format("{:.0f}", seconds), "--inter-option-delay", "0"} +
          Words{"--num-users", std::to_string(users.users), "--tensor-parallel", "8"} +
          Words{"--storage-capacity-gb", fmt::format("{:.3f}", gib)};
  if (place_.direct) flags = flags + Words{"--kv-io", "direct"};
  finish(part, command({"kvcache", "run"}, flags), "a KV cache", kvcache_phrases);
  if (part.error && part.error->message.find(kNothingAnswered) != std::string::npos) {
    part.error = std::nullopt;
    part.left_out = fmt::format("no request was answered in {:.0f} s; take more --time", seconds);
  }
  if (Status gone = remove(place_.folder("kvcache")); !gone && !part.error) part.error = gone.error();
  return part;
}

TryPart TrySession::search() {
  TryPart part;
  part.name = "vectordb";
  if (place_.is_null()) {
    part.left_out = "an index that is not kept can't be searched";
    return part;
  }
  const bool graph = part_latency_ns_ < kSlowPartNs;
  part.figures = {{"index", graph ? "DISKANN" : "IVF_FLAT"}};
  const Words where{"--storage-root", place_.folder("vectordb"),
                    "--vdb-index",    graph ? "DISKANN" : "IVF_FLAT",
                    "--collection",   "try"};
  const auto vectors = static_cast<uint64_t>(std::clamp(kVectors * settings_.seconds / 60, 500.0, kVectors));
  const Words load{"--num-vectors", std::to_string(vectors), "--dimension", "128", "--distribution", "clustered"};
  const auto loaded =
      runner_.run(command({"vectordb", "datagen"}, where + load), fmt::format("an index of {} vectors", vectors));
  if (loaded) {
    const std::string runtime = fmt::format("{:.0f}", std::max(1.0, kSearchShare * settings_.seconds));
    Words flags = where + Words{"--runtime", runtime, "--num-query-processes", "8", "--search-ef", graph ? "50" : "16"};
    if (place_.scratch.is_file_system()) flags = flags + Words{"--cache-state", "cold"};
    finish(part, command({"vectordb", "run"}, flags), "searches", vectordb_phrases);
  } else {
    part.error = loaded.error();
  }
  if (Status gone = remove(place_.folder("vectordb")); !gone && !part.error) part.error = gone.error();
  return part;
}

Status TrySession::add_checkpoints(double seconds, uint32_t count, TryCheckpoints& sum, TryPart& part) {
  const auto bytes = static_cast<double>(try_checkpoint_bytes(limits_, rates_, seconds, count));
  const auto record =
      run_checkpoints(bytes / checkpoint_bytes_, count,
                      fmt::format("{} of {}", counted(count, "checkpoint"), human_bytes(static_cast<uint64_t>(bytes))));
  if (!record) return fail(record.error());
  const auto wrote = record->at("write.metrics.gib_per_s").number();
  const auto read = record->at("read.metrics.gib_per_s").number();
  const auto each = record->at("plan.checkpoint_bytes").number();
  if (!wrote || !read || !each || *wrote <= 0 || *read <= 0) {
    return fail(ErrorCode::kInternal, "the record of the checkpoints has no rates");
  }
  auto view = view_of_run(*record);
  if (!view) return fail(view.error());
  rates_ = {*wrote * static_cast<double>(kGiB), *read * static_cast<double>(kGiB)};
  sum.bytes += *each * count;
  sum.write_s += *each * count / rates_.write;
  sum.read_s += *each * count / rates_.read;
  part.limit = view->limit;
  part.runs.push_back(std::move(*view));
  return {};
}

// Rates of long checkpoints differ from those of the first short ones. So most of the time is planned with these, and
// what is left of it by what came out.
TryPart TrySession::checkpoint() {
  TryPart part;
  part.name = "checkpoint";
  const uint32_t count = settings_.seconds < 30 ? 2 : 4;
  TryCheckpoints sum;
  sum.model_bytes = checkpoint_bytes_;
  Status added = add_checkpoints(std::max(kFirstRound * left_s(), kLeastRound * settings_.seconds), count, sum, part);
  while (added && left_s() > kLeastRound * settings_.seconds && part.runs.size() < kMostRounds) {
    added = add_checkpoints(kSafety * left_s(), count, sum, part);
  }
  if (!added) {
    part.error = added.error();
    return part;
  }
  part.headline = checkpoint_phrases(sum);
  part.figures = {{"write_gib_per_s", sum.write_rate() / static_cast<double>(kGiB)},
                  {"read_gib_per_s", sum.read_rate() / static_cast<double>(kGiB)}};
  return part;
}

Status TrySession::remove(const std::string& location) {
  if (place_.is_null()) return {};
  if (place_.scratch.is_file_system()) {
    std::error_code error;
    std::filesystem::remove_all(location, error);
    return error ? Status(fail(errno_error(error.value(), "remove " + location))) : Status();
  }
  const auto uploads = runner_.run_removal({"object", "uploads", location + "/", "--abort"});
  const auto objects = runner_.run_removal({"object", "rm", location + "/", "--recursive"});
  for (const auto& status : {uploads, objects}) {
    if (!status) return fail(status.error());
    if (*status == kExitSuccess || *status == kNotFound) continue;
    return fail(ErrorCode::kCommandFailed, fmt::format("{}: not seen to be empty after removal", location), {},
                fmt::format("mlpstorage object rm -r {}", shell_quoted(location + "/")));
  }
  return {};
}

Status TrySession::remove_all() {
  if (removed_ || place_.is_null()) return {};
  removed_ = true;
  return remove(place_.scratch.to_string());
}

}  // namespace mlps::cli
