#include <fmt/format.h>

#include "base/numbers.hpp"
#include "base/units.hpp"
#include "benchmarks/vectordb/results/views.hpp"
#include "results/fields_json.hpp"
#include "results/text_table.hpp"

namespace mlps::results {
namespace {

using vectordb::EngineKind;
using vectordb::IndexKind;
using vectordb::SearchMode;
using vectordb::Settings;

constexpr size_t kLabelWidth = 16;
constexpr double kGigabyte = 1e9;

std::string index_parameters(const Settings& settings) {
  const vectordb::CollectionSpec& spec = settings.collection;
  switch (spec.index) {
    case IndexKind::kFlat:
      return "none";
    case IndexKind::kIvfFlat:
    case IndexKind::kIvfSq8:
      return fmt::format("{} lists", spec.lists);
    case IndexKind::kHnsw:
      return fmt::format("M {}, ef_construction {}", spec.m, spec.ef_construction);
    case IndexKind::kDiskAnn:
      return fmt::format("max_degree {}, search_list_size {}", spec.max_degree, spec.search_list_size);
    case IndexKind::kAiSaq:
      return fmt::format("max_degree {}, search_list_size {}, inline_pq {}", spec.max_degree, spec.search_list_size,
                         spec.inline_codes);
  }
  return {};
}

std::string end_text(const Settings& settings) {
  const vectordb::SearchSettings& search = settings.search;
  switch (search.mode) {
    case SearchMode::kQueryCount:
      return fmt::format("query_count: {} queries of all workers", grouped(search.queries));
    case SearchMode::kTimed:
      return fmt::format("timed: {} s", search.runtime_s);
    case SearchMode::kSweep:
      break;
  }
  std::string targets;
  for (const double target : search.targets) targets += fmt::format("{}{}", targets.empty() ? "" : ", ", target);
  return fmt::format("sweep: recall {}; {} s each", targets, search.runtime_s);
}

void add_load(const Settings& settings, const VectorDbPlanDetails& details, LabelledLines& lines) {
  const double raw = static_cast<double>(vectordb::raw_bytes(settings)) / kGigabyte;
  const vectordb::SourceSpec& source = settings.source;
  const bool of_file = source.distribution == vectordb::Distribution::kFile;
  lines.add("vectors", fmt::format("{} x {}, {}", grouped(source.rows), source.dimension,
                                   of_file ? "from " + source.file.path
                                           : fmt::format("{} seed {}", vectordb::distribution_name(source.distribution),
                                                         source.seed)));
  lines.add("raw size", fmt::format("{:.2f} GB", raw));
  lines.add("index", fmt::format("{}, {}, {}", vectordb::index_name(settings.collection.index),
                                 vectordb::metric_name(settings.collection.metric), index_parameters(settings)));
  lines.add("shards", std::to_string(settings.collection.shards));
  lines.add("estimated total", fmt::format("{:.2f} GB: raw size x {:.0f} % x shards, as mlpstorage 3.0 estimates",
                                           vectordb::official_bytes(settings) / kGigabyte,
                                           100 * vectordb::size_factor(settings.collection.index)));
  if (details.command != "datasize") {
    lines.add("load", fmt::format("{}, {} per insert", counted(details.ranks, "loader"),
                                  counted(settings.load.batch, "vector")));
  }
}

std::string queries_text(const vectordb::SearchSettings& search) {
  if (!search.query_file.empty()) {
    return fmt::format("{} from {}", search.query_vectors == 0 ? "all" : "the first " + grouped(search.query_vectors),
                       search.query_file);
  }
  return fmt::format("{} {}, seed {}", grouped(search.query_vectors),
                     search.planted ? fmt::format("planted (noise {})", search.noise) : "independent",
                     search.query_seed);
}

void add_search(const Settings& settings, const VectorDbPlanDetails& details, LabelledLines& lines) {
  const vectordb::SearchSettings& search = settings.search;
  const IndexKind index = settings.collection.index;
  lines.add("index", std::string(vectordb::index_name(index)));
  lines.add("search", end_text(settings));
  lines.add("workers",
            fmt::format("{}, {}", details.ranks,
                        search.arrival_rate > 0 ? fmt::format("searches arrive at {} per second", search.arrival_rate)
                                                : std::string("each asks again when it has an answer")));
  lines.add("queries", fmt::format("{}, {} per search", queries_text(search), search.batch));
  const std::string_view word = vectordb::effort_word(index);
  std::string effort = word.empty()
                           ? "no effort to choose"
                           : fmt::format("{} {}", word, vectordb::effective_effort(index, search.effort, search.limit));
  if (search.mode == SearchMode::kSweep && !word.empty()) effort = fmt::format("{} by recall", word);
  lines.add("neighbours", fmt::format("{} asked for, recall at {}, {}", search.limit, search.recall_k, effort));
  lines.add("exact answers", search.truth_file.empty()
                                 ? "computed by this host from the description of the vectors"
                                 : fmt::format("from {}, if they can be right", search.truth_file));
  if (search.insert_rate > 0) {
    lines.add("inserts", fmt::format("{} vectors per second during the windows, {} at once", search.insert_rate,
                                     search.insert_batch));
  }
  lines.add("page cache", fmt::format("{}; warm-up {} s", vectordb::cache_word(search.cache), search.warmup_s));
}

}  // namespace

uint64_t least_storage(const Settings& settings) {
  const auto raw = static_cast<double>(vectordb::raw_bytes(settings));
  return static_cast<uint64_t>(raw * (1 + vectordb::size_factor(settings.collection.index)));
}

std::string plan_table(const Settings& settings, const VectorDbPlanDetails& details) {
  LabelledLines lines(kLabelWidth);
  if (!details.mode.empty()) lines.add("mode", details.mode);
  lines.add("engine", fmt::format("{}{}", vectordb::engine_word(settings.engine),
                                  settings.engine_is_default ? fmt::format(", the default of {}", details.mode) : ""));
  if (details.command != "datasize") {
    lines.add("collection", settings.collection.name);
    if (settings.engine != EngineKind::kEmbedded) {
      lines.add("server",
                fmt::format("{}:{}{}", settings.server.host, settings.server.port, settings.server.tls ? ", TLS" : ""));
    }
    lines.add("storage root", settings.storage_root.empty() ? "-" : settings.storage_root);
  }
  if (details.command != "run") add_load(settings, details, lines);
  if (details.command == "run" || details.command == "configview") add_search(settings, details, lines);
  return "Plan\n" + lines.text();
}

Json plan_object(const Settings& settings, const VectorDbPlanDetails& details) {
  const vectordb::CollectionSpec& spec = settings.collection;
  const vectordb::SearchSettings& search = settings.search;
  Json json;
  json["schema"] = kVectorDbPlanSchema;
  json["mode"] = details.mode;
  json["command"] = details.command;
  json["engine"] = vectordb::engine_word(settings.engine);
  json["engine_by"] = settings.engine_is_default ? "default" : "flag";
  json["collection"] = spec.name;
  json["server"] = settings.engine == EngineKind::kEmbedded
                       ? Json()
                       : Json(fmt::format("{}:{}", settings.server.host, settings.server.port));
  json["storage_root"] = settings.storage_root.empty() ? Json() : Json(settings.storage_root);
  json["ranks"] = details.ranks;
  json["index"] = {{"type", vectordb::index_name(spec.index)}, {"parameters", index_parameters(settings)}};
  if (details.command != "run") {
    json["metric"] = vectordb::metric_name(spec.metric);
    json["vectors"] = {{"rows", settings.source.rows},
                       {"dimension", settings.source.dimension},
                       {"distribution", vectordb::distribution_name(settings.source.distribution)},
                       {"file", settings.source.file.path.empty() ? Json() : Json(settings.source.file.path)},
                       {"seed", settings.source.seed},
                       {"raw_bytes", vectordb::raw_bytes(settings)},
                       {"shards", spec.shards},
                       {"estimated_total_bytes", vectordb::official_bytes(settings)}};
    json["load"] = {{"batch", settings.load.batch}, {"compact", settings.load.compact}};
  }
  if (details.command != "run" && details.command != "configview") return json;
  const bool counted = search.mode == SearchMode::kQueryCount;
  json["search"] = {{"mode", vectordb::mode_word(search.mode)},
                    {"runtime_s", counted ? Json() : Json(search.runtime_s)},
                    {"queries", counted ? Json(search.queries) : Json()},
                    {"workers", details.ranks},
                    {"batch", search.batch},
                    {"limit", search.limit},
                    {"recall_k", search.recall_k},
                    {"effort", vectordb::effective_effort(spec.index, search.effort, search.limit)},
                    {"query_vectors", search.query_vectors == 0 ? Json() : Json(search.query_vectors)},
                    {"query_file", search.query_file.empty() ? Json() : Json(search.query_file)},
                    {"truth_file", search.truth_file.empty() ? Json() : Json(search.truth_file)},
                    {"query_mode", search.planted ? "planted" : "independent"},
                    {"query_seed", search.query_seed},
                    {"order", search.lockstep ? "lockstep" : "shuffled"},
                    {"arrival_rate", search.arrival_rate > 0 ? Json(search.arrival_rate) : Json()},
                    {"insert_rate", search.insert_rate > 0 ? Json(search.insert_rate) : Json()},
                    {"insert_batch", search.insert_rate > 0 ? Json(search.insert_batch) : Json()},
                    {"warmup_s", search.warmup_s},
                    {"cache_state", vectordb::cache_word(search.cache)},
                    {"recall_targets", search.mode == SearchMode::kSweep ? Json(search.targets) : Json()}};
  return json;
}

std::string plan_json(const Settings& settings, const VectorDbPlanDetails& details) {
  return compact_rows(plan_object(settings, details));
}

}  // namespace mlps::results
