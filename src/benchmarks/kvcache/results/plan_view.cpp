#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/kvcache/results/views.hpp"
#include "results/fields_json.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using kvcache::OfferedLoad;
using kvcache::OptionPlan;
using kvcache::RunSettings;
using kvcache::Settings;

constexpr size_t kLabelWidth = 16;
constexpr double kMostPart = 1e18;  // of a number of bytes that is shown

uint64_t bytes_of_gib(double gib) {
  return static_cast<uint64_t>(std::min(gib * static_cast<double>(kGiB), kMostPart));
}

/// What an option asks of one host, as far as it is known before the run.
struct Demand {
  OfferedLoad load;
  uint64_t least_entry = 0, mean_entry = 0, largest_entry = 0;
  double written_gib_per_s = 0, read_gib_per_s = 0;  ///< offered by the ranks of a host; 0: the storage decides
};

Demand demand_of(const Settings& settings, const OptionPlan& option, uint32_t ranks) {
  Demand demand;
  demand.load = kvcache::offered_load(settings, option);
  const auto [least, most] = kvcache::entry_tokens(settings.tuning);
  const auto bytes = [&](double tokens) {
    return option.model.entry_bytes(static_cast<uint64_t>(tokens), settings.tensor_parallel);
  };
  const bool prepared = settings.phases == kvcache::Phases::kDecodeOnly;
  demand.least_entry = bytes(prepared ? kvcache::kPreparedTokens : least);
  demand.mean_entry = bytes(demand.load.mean_entry_tokens);
  demand.largest_entry = bytes(prepared ? kvcache::kPreparedTokens : most);
  const double rate = demand.load.requests_per_s * ranks;
  demand.written_gib_per_s = rate * to_gib(bytes(demand.load.tokens_written));
  demand.read_gib_per_s = rate * to_gib(bytes(demand.load.tokens_read));
  return demand;
}

/// Returns what preconditioning writes on a rank; nothing where the free space at the start decides.
std::optional<uint64_t> preconditioning_bytes(const Settings& settings) {
  const double gib =
      settings.preconditioning->gib > 0 ? settings.preconditioning->gib : 2 * settings.storage_capacity_gib;
  return gib > 0 ? std::optional(bytes_of_gib(gib)) : std::nullopt;
}

std::string preconditioning_text(const RunSettings& run) {
  if (!run.settings.preconditioning) return "no: the storage is as it is found";
  const auto bytes = preconditioning_bytes(run.settings);
  if (!bytes) return "twice 95 % of the free space before each window: every block of the storage is written";
  const uint64_t windows = run.settings.options.size() * run.settings.trials, all = *bytes * run.ranks * windows;
  return fmt::format("{} per rank before each of {} windows, {} in all: {:.0f} min at 1 GiB/s", human_bytes(*bytes),
                     windows, human_bytes(all), to_gib(all) / 60);
}

/// Returns lines on what is not the case in the three options as they are.
void add_features(const Settings& settings, LabelledLines& head) {
  if (settings.phases != kvcache::Phases::kBoth) head.add("phases", std::string(kvcache::phases_name(settings.phases)));
  const kvcache::RagRules& rag = settings.tuning.rag;
  if (rag.documents > 0) {
    head.add("documents",
             fmt::format("{} per rank, in chunks of {} tokens, {} of which are read by {} % of the requests",
                         rag.documents, rag.chunk_tokens, rag.chunks_read, rag.probability * 100));
  }
  const kvcache::ScalingRules& scaling = settings.tuning.scaling;
  if (scaling.mode != kvcache::AutoscalerMode::kOff) {
    head.add("autoscaling",
             fmt::format("{}, {} to {} users", kvcache::autoscaler_name(scaling.mode), scaling.fewest, scaling.most));
  }
}

std::string rate_text(double value) {
  return value > 0 ? fmt::format("{:.1f}", value) : "-";
}

std::string gib_text(double gib) {
  return gib > 0 ? fmt::format("{} GiB", gib) : "-";
}

using Columns = std::vector<std::vector<std::string>>;

void add_row(Columns& rows, const std::string& label, const std::vector<std::string>& cells) {
  rows.push_back({label});
  rows.back().insert(rows.back().end(), cells.begin(), cells.end());
}

std::string option_rows(const RunSettings& run, uint32_t ranks) {
  Columns rows;
  std::vector<Demand> demands;
  for (const OptionPlan& option : run.settings.options) demands.push_back(demand_of(run.settings, option, ranks));
  const auto row = [&](const std::string& label, const auto& text) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < demands.size(); ++i) cells.push_back(text(run.settings.options[i], demands[i]));
    add_row(rows, label, cells);
  };
  row("option", [](const OptionPlan& o, const Demand&) { return std::to_string(o.number); });
  row("model", [](const OptionPlan& o, const Demand&) { return o.model.key; });
  row("bytes per token", [](const OptionPlan& o, const Demand&) { return grouped(o.model.bytes_per_token()); });
  row("users per rank", [](const OptionPlan& o, const Demand&) { return grouped(o.users); });
  row("requests at once", [](const OptionPlan& o, const Demand&) { return grouped(o.at_once()); });
  row("entries written at once",
      [](const OptionPlan& o, const Demand&) { return o.max_allocs == 0 ? "-" : grouped(o.max_allocs); });
  row("window, s", [](const OptionPlan& o, const Demand&) { return fmt::format("{}", o.duration_s); });
  row("GPU tier (modelled)", [](const OptionPlan& o, const Demand&) { return gib_text(o.gpu_gib); });
  row("CPU tier", [](const OptionPlan& o, const Demand&) { return gib_text(o.cpu_gib); });
  row("smallest entry", [](const OptionPlan&, const Demand& d) { return human_bytes(d.least_entry); });
  row("mean entry", [](const OptionPlan&, const Demand& d) { return human_bytes(d.mean_entry); });
  row("largest entry", [](const OptionPlan&, const Demand& d) { return human_bytes(d.largest_entry); });
  row("one turn of each user",
      [](const OptionPlan& o, const Demand& d) { return human_bytes(d.mean_entry * o.users); });
  row("offered per host: requests/s",
      [&](const OptionPlan&, const Demand& d) { return rate_text(d.load.requests_per_s * ranks); });
  row("  written, GiB/s", [](const OptionPlan&, const Demand& d) { return rate_text(d.written_gib_per_s); });
  row("  read by decoding, GiB/s", [](const OptionPlan&, const Demand& d) { return rate_text(d.read_gib_per_s); });
  row("reads per request",
      [](const OptionPlan&, const Demand& d) { return fmt::format("{:.1f}", d.load.decode_reads); });
  return aligned_rows(rows, 2);
}

// Memory of the program besides: its code, its requests and what it counts of them.
constexpr uint64_t kProgram = 128 * kMiB;

uint64_t memory_of(const kvcache::OptionIo& io, const OptionPlan& option, uint32_t ranks) {
  return io.storage.buffer_bytes() + io.memory.buffer_bytes() + bytes_of_gib(option.cpu_gib) * ranks + kProgram;
}

std::string io_rows(const RunSettings& run, uint32_t ranks) {
  if (run.io.empty()) return {};
  Columns rows;
  const auto row = [&](const std::string& label, const auto& text) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < run.io.size(); ++i) cells.push_back(text(run.io[i], run.settings.options[i]));
    add_row(rows, label, cells);
  };
  using kvcache::OptionIo;
  row("I/O threads", [](const OptionIo& io, const OptionPlan&) { return grouped(io.storage.workers); });
  row("operations per thread", [](const OptionIo& io, const OptionPlan&) { return grouped(io.storage.depth); });
  row("part", [](const OptionIo& io, const OptionPlan&) { return human_bytes(io.storage.part_bytes); });
  row("memory: I/O buffers", [](const OptionIo& io, const OptionPlan&) {
    return human_bytes(io.storage.buffer_bytes() + io.memory.buffer_bytes());
  });
  row("memory: CPU tiers", [&](const OptionIo&, const OptionPlan& o) {
    return o.cpu_gib > 0 ? human_bytes(bytes_of_gib(o.cpu_gib) * ranks) : "-";
  });
  row("memory: in all, about",
      [&](const OptionIo& io, const OptionPlan& o) { return human_bytes(memory_of(io, o, ranks)); });
  return aligned_rows(rows, 2);
}

Json option_plan_json(const Settings& settings, const OptionPlan& option, uint32_t ranks) {
  const Demand demand = demand_of(settings, option, ranks);
  const auto known = [](double value) { return value > 0 ? Json(value) : Json(); };
  Json json;
  json["option"] = option.number;
  json["model"] = {{"key", option.model.key},
                   {"layers", option.model.layers},
                   {"bytes_per_token", option.model.bytes_per_token()},
                   {"tensor_parallel", settings.tensor_parallel}};
  json["users_per_rank"] = option.users;
  json["requests_at_once"] = option.at_once();
  json["max_concurrent_allocs"] = option.max_allocs;
  json["duration_s"] = option.duration_s;
  json["gpu_tier_bytes"] = bytes_of_gib(option.gpu_gib);
  json["cpu_tier_bytes"] = bytes_of_gib(option.cpu_gib);
  json["generation_mode"] = std::string(kvcache::generation_name(option.generation));
  json["entry_bytes"] = {
      {"smallest", demand.least_entry}, {"mean", demand.mean_entry}, {"largest", demand.largest_entry}};
  json["offered_per_host"] = {{"requests_per_s", known(demand.load.requests_per_s * ranks)},
                              {"written_gib_per_s", known(demand.written_gib_per_s)},
                              {"decode_read_gib_per_s", known(demand.read_gib_per_s)},
                              {"decode_reads_per_request", demand.load.decode_reads}};
  return json;
}

Json thread_json(const io::Plan& plan) {
  return {{"workers", plan.workers},
          {"depth", plan.depth},
          {"part_bytes", plan.part_bytes},
          {"buffer_bytes", plan.buffer_bytes()}};
}

std::string capacity_text(uint64_t blocks) {
  return blocks == 0 ? "no limit" : grouped(blocks) + " blocks";
}

Json replay_json(const Settings& settings) {
  const kvcache::PagedSettings& paged = *settings.paged;
  const kvcache::Model& model = settings.options.front().model;
  Json json;
  json["trace"] = paged.trace;
  json["block_tokens"] = paged.block_tokens;
  json["block_bytes"] = model.entry_bytes(paged.block_tokens, settings.tensor_parallel);
  json["partial_blocks"] = paged.partial_blocks ? "count" : "skip";
  json["block_capacity"] = paged.block_capacity;
  json["layout"] = paged.slabs ? "slabs" : "objects";
  json["eviction"] = paged.fifo ? "fifo" : "lru";
  json["admission"] = paged.second_use ? "second-use" : "first-use";
  json["visible"] = "at once; a block that is being written is waited for";
  json["speedup"] = paged.speedup;
  json["cycles"] = paged.cycles;
  json["users"] = paged.users;
  json["prefill_tokens_per_s"] = paged.prefill_rate;
  json["decode_tokens_per_s"] = paged.decode_rate;
  json["load"] = paged.layerwise ? "layerwise" : "whole";
  json["slo_ttft_ms"] = paged.slo_ttft_ms > 0 ? Json(paged.slo_ttft_ms) : Json();
  return json;
}

/// What the trace alone decides, for several capacities: the curve of hits.
std::string curve_rows(const std::vector<kvcache::CountedReplay>& curve) {
  if (curve.empty()) return {};
  Columns rows = {{"blocks stored at most", "references", "hits", "hit share, %", "stored", "evicted", "tokens hit, %",
                   "of whole prompts, %"}};
  for (const auto& [capacity, replay, whole] : curve) {
    const auto share = [](uint64_t part, uint64_t of) {
      return of == 0 ? std::string("-")
                     : fmt::format("{:.3f}", 100.0 * static_cast<double>(part) / static_cast<double>(of));
    };
    rows.push_back({capacity == 0 ? "no limit" : grouped(capacity), grouped(replay.block_references),
                    grouped(replay.block_hits), share(replay.block_hits, replay.block_references),
                    grouped(replay.blocks_stored), grouped(replay.blocks_evicted),
                    share(replay.hit_tokens, replay.input_tokens), share(whole.hit_tokens, replay.input_tokens)});
  }
  std::string text = aligned_rows(rows, 2);
  const kvcache::Replay& first = curve.front().replay;
  if (first.block_hits == 0) text += "  no reuse in this trace under these rules: nothing will be read\n";
  if (first.blocks_stored == 0) text += "  no block is stored under these rules: nothing will be written\n";
  return text;
}

std::string replay_table(const RunSettings& run, const KvPlanDetails& details) {
  const Settings& settings = run.settings;
  const kvcache::PagedSettings& paged = *settings.paged;
  const kvcache::Model& model = settings.options.front().model;
  LabelledLines head(kLabelWidth);
  if (!details.mode.empty()) head.add("mode", details.mode);
  head.add("trace", without_secrets(std::string_view(paged.trace)));
  head.add("ranks", fmt::format("{}, {} per host; each replays the whole trace", run.ranks, details.ranks_per_host));
  head.add("model", fmt::format("{}, {} bytes per token", model.key, grouped(model.bytes_per_token())));
  head.add("block", fmt::format("{} tokens, {}; a prompt's last, partial block is {}", paged.block_tokens,
                                human_bytes(model.entry_bytes(paged.block_tokens, settings.tensor_parallel)),
                                paged.partial_blocks ? "stored, too" : "not stored"));
  if (paged.slabs) head.add("layout", "slots of slab files");
  head.add("capacity", fmt::format("{} per rank, {}, stored at {}", capacity_text(paged.block_capacity),
                                   paged.fifo ? "fifo" : "lru", paged.second_use ? "second use" : "first use"));
  if (paged.users > 0)
    head.add("users", fmt::format("{}, whose prompts begin alike, where the trace has none", paged.users));
  head.add("clock", fmt::format("{} times as fast as recorded, {} cycles", paged.speedup, paged.cycles));
  head.add("compute",
           fmt::format("{} tokens/s of prompts, {} tokens/s generated, {}", paged.prefill_rate, paged.decode_rate,
                       paged.layerwise ? "layer by layer with the loading" : "after the loading"));
  return "Plan\n" + head.text() + io_rows(run, details.ranks_per_host) + curve_rows(details.curve);
}

}  // namespace

uint64_t least_storage(const RunSettings& run) {
  if (run.settings.paged) {
    const kvcache::PagedSettings& paged = *run.settings.paged;
    const uint64_t block =
        run.settings.options.front().model.entry_bytes(paged.block_tokens, run.settings.tensor_parallel);
    return block * std::max<uint64_t>(paged.block_capacity, 1) * run.ranks;
  }
  if (run.settings.storage_capacity_gib > 0) return bytes_of_gib(run.settings.storage_capacity_gib) * run.ranks;
  uint64_t most = 1;
  for (const OptionPlan& option : run.settings.options) {
    const uint64_t at_once = option.max_allocs == 0 ? option.at_once() : std::min(option.max_allocs, option.at_once());
    most = std::max(most, at_once * demand_of(run.settings, option, 1).mean_entry);
  }
  return most * run.ranks;
}

std::string plan_table(const RunSettings& run, const KvPlanDetails& details) {
  const Settings& settings = run.settings;
  if (settings.paged) return replay_table(run, details);
  LabelledLines head(kLabelWidth);
  if (!details.mode.empty()) head.add("mode", details.mode);
  head.add("ranks", fmt::format("{}, {} per host", run.ranks, details.ranks_per_host));
  head.add("sequence", fmt::format("seed {}, {} of each option, {} s between options", settings.seed,
                                   counted(settings.trials, "trial"), settings.inter_option_delay_s));
  head.add("arrival", std::string(kvcache::arrival_name(settings.arrival)));
  head.add("kv-io", std::string(kvcache::kv_io_name(settings.io)));
  head.add("capacity", settings.storage_capacity_gib > 0
                           ? fmt::format("{} GiB of storage per rank", settings.storage_capacity_gib)
                           : "95 % of the free space at the start of a window, divided by the ranks");
  head.add("preconditioning", preconditioning_text(run));
  add_features(settings, head);
  return "Plan\n" + head.text() + option_rows(run, details.ranks_per_host) + io_rows(run, details.ranks_per_host);
}

Json plan_object(const RunSettings& run, const KvPlanDetails& details) {
  const Settings& settings = run.settings;
  Json json;
  json["schema"] = kKvPlanSchema;
  json["mode"] = details.mode;
  json["ranks"] = run.ranks;
  json["ranks_per_host"] = details.ranks_per_host;
  json["seed"] = settings.seed;
  json["trials"] = settings.trials;
  json["inter_option_delay_s"] = settings.inter_option_delay_s;
  json["multi_turn"] = settings.multi_turn;
  json["prefix_caching"] = settings.prefix_caching;
  json["arrival"] = {{"kind", std::string(kvcache::arrival_name(settings.arrival))},
                     {"requests_per_s_and_rank", settings.request_rate > 0 ? Json(settings.request_rate) : Json()},
                     {"cv", settings.arrival_cv}};
  json["phases"] = std::string(kvcache::phases_name(settings.phases));
  json["documents_per_rank"] = settings.tuning.rag.documents;
  json["autoscaler"] = std::string(kvcache::autoscaler_name(settings.tuning.scaling.mode));
  json["preconditioned"] = settings.preconditioning.has_value();
  const auto ahead = settings.preconditioning ? preconditioning_bytes(settings) : std::nullopt;
  json["preconditioning_bytes_per_rank"] = ahead ? Json(*ahead) : Json();
  json["kv_io"] = std::string(kvcache::kv_io_name(settings.io));
  json["storage_capacity_bytes_per_rank"] =
      settings.storage_capacity_gib > 0 ? Json(bytes_of_gib(settings.storage_capacity_gib)) : Json();
  json["replay"] = settings.paged ? replay_json(settings) : Json();
  json["hit_curve"] = Json::array();
  for (const auto& [capacity, replay, whole] : details.curve) {
    Json& point = json["hit_curve"].push_back(fields_json(replay));
    point["whole_prompts"] = {{"hits", whole.hits},
                              {"hit_tokens", whole.hit_tokens},
                              {"stored_tokens", whole.stored_tokens},
                              {"evicted", whole.evicted}};
    point.erase("latency");
    point["block_capacity"] = capacity;
  }
  json["options"] = Json::array();
  for (size_t i = 0; i < settings.options.size(); ++i) {
    if (settings.paged) break;
    Json& option = json["options"].push_back(option_plan_json(settings, settings.options[i], details.ranks_per_host));
    option["io"] = run.io.empty() ? Json() : thread_json(run.io[i].storage);
    option["cpu_tier_io"] = run.io.empty() || run.io[i].memory.workers == 0 ? Json() : thread_json(run.io[i].memory);
    option["memory_bytes"] =
        run.io.empty() ? Json() : Json(memory_of(run.io[i], settings.options[i], details.ranks_per_host));
  }
  return json;
}

std::string plan_json(const RunSettings& run, const KvPlanDetails& details) {
  return compact_rows(plan_object(run, details));
}

}  // namespace mlps::results
