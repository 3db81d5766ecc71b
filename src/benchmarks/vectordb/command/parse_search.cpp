#include <fmt/format.h>

#include <algorithm>

#include "benchmarks/vectordb/command/parse_parts.hpp"
#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

constexpr double kLeastClosedRuntime = 30;  // by the run checker of mlpstorage 3.0

std::vector<double> recall_targets(Reader& reader, CommandLine& line) {
  std::vector<double> targets;
  const std::string text = reader.text("recall-targets");
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const auto value = parse_number<double>(trimmed(text.substr(begin, comma - begin)));
    if (!value || *value <= 0 || *value > 1) {
      refuse(line, fmt::format("--recall-targets: '{}' is no list of numbers above 0 and up to 1", text),
             "for example: --recall-targets 0.9,0.95");
      return {};
    }
    targets.push_back(*value);
    begin = comma + 1;
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

void check_files(Reader& reader, CommandLine& line, vectordb::SearchSettings& search) {
  if (!search.query_file.empty()) {
    if (!is_typed(reader, "num-query-vectors")) search.query_vectors = 0;
    for (const char* flag : {"query-mode", "query-noise", "query-seed"}) {
      if (!is_typed(reader, flag)) continue;
      refuse(line, fmt::format("--{} with --query-file", flag),
             "queries of a file are taken as they are: leave it out");
    }
  }
  if (search.truth_file.empty()) return;
  if (search.query_file.empty()) {
    refuse(line, "--truth-file without --query-file", "exact answers are those to the queries of a file: give both");
  }
  for (const char* flag : {"filter-share", "gt-cache-dir"}) {
    if (!is_typed(reader, flag)) continue;
    refuse(line, fmt::format("--{} with --truth-file", flag),
           "the file has the answers over all vectors: leave one out");
  }
}

}  // namespace

void read_search(Reader& reader, CommandLine& line, vectordb::Settings& settings) {
  vectordb::SearchSettings& search = settings.search;
  const std::string mode = reader.choice("benchmark-mode");
  search.mode = mode == "sweep"         ? vectordb::SearchMode::kSweep
                : mode == "query_count" ? vectordb::SearchMode::kQueryCount
                                        : vectordb::SearchMode::kTimed;
  if (reader.given("queries")) {
    search.queries = reader.integer("queries");
    if (reader.given("runtime")) refuse(line, "--runtime with --queries", "one of them ends the run: give one");
    if (search.mode == vectordb::SearchMode::kSweep) {
      refuse(line, "--queries with --benchmark-mode sweep", "each target of a sweep has a window of --runtime");
    }
    search.mode = vectordb::SearchMode::kQueryCount;
  } else if (search.mode == vectordb::SearchMode::kQueryCount) {
    refuse(line, "--benchmark-mode query_count without --queries", "give the number of queries");
  }
  search.runtime_s = reader.real("runtime");
  if (line.command.mode == Mode::kClosed && reader.given("runtime") && search.runtime_s < kLeastClosedRuntime) {
    refuse(line, fmt::format("--runtime {:g} in closed", search.runtime_s),
           "the rules want at least 30 s; measure this with 'open' or 'whatif'");
  }
  search.workers = reader.small("num-query-processes");
  search.batch = reader.small("batch-size");
  search.limit = reader.small("search-limit");
  search.effort = reader.small("search-ef");
  search.recall_k = reader.given("recall-k") ? reader.small("recall-k") : search.limit;
  if (search.recall_k > search.limit) {
    refuse(line, fmt::format("--recall-k {} with --search-limit {}", search.recall_k, search.limit),
           "more neighbours than were asked for can't be found: raise --search-limit");
  }
  search.query_vectors = reader.integer("num-query-vectors");
  search.planted = reader.choice("query-mode") == "planted";
  search.noise = reader.real("query-noise");
  search.query_seed = reader.given("query-seed") ? reader.integer("query-seed") : reader.integer("seed");
  search.dimension = reader.given("vector-dim") ? reader.small("vector-dim") : 0;
  search.targets = recall_targets(reader, line);
  search.sweep_queries = reader.integer("sweep-queries");
  search.warmup_s = reader.given("warmup") ? reader.real("warmup") : 0;
  search.arrival_rate = reader.given("arrival-rate") ? reader.real("arrival-rate") : 0;
  search.insert_rate = reader.given("insert-rate") ? reader.real("insert-rate") : 0;
  search.insert_batch = reader.small("insert-batch");
  if (search.insert_rate == 0 && is_typed(reader, "insert-batch")) {
    refuse(line, "--insert-batch without --insert-rate", "nothing is inserted then: give both or none");
  }
  const std::string cache = reader.choice("cache-state");
  search.cache = cache == "cold"   ? vectordb::CacheState::kCold
                 : cache == "warm" ? vectordb::CacheState::kWarm
                                   : vectordb::CacheState::kAsIs;
  search.lockstep = reader.choice("query-order") == "lockstep";
  search.cache_memory = reader.given("cache-memory") ? reader.size("cache-memory") : 0;
  search.beam = reader.given("beam-width") ? reader.small("beam-width") : 0;
  search.query_file = file_word(reader, line, "query-file");
  search.truth_file = file_word(reader, line, "truth-file");
  check_files(reader, line, search);
  search.epsilon = reader.given("recall-epsilon") ? reader.real("recall-epsilon") : 0;
  search.filter_share = reader.given("filter-share") ? reader.real("filter-share") : 1;
}

void read_edge(Reader& reader, CommandLine& line, VectorDbOptions& options) {
  if (!reader.given("qps")) {
    if (reader.given("slo-p99-ms")) {
      refuse(line, "--slo-p99-ms without --qps max", "every run reports its p99: leave it out");
    }
    return;
  }
  options.slo_ms = reader.real("slo-p99-ms");
  check_search_line("--qps max", reader, options, line.errors);
  const vectordb::SearchSettings& search = options.settings.search;
  if (reader.given("arrival-rate")) {
    refuse(line, "--arrival-rate with --qps max: it is what is searched for", "leave one of them out");
  }
  if (search.mode != vectordb::SearchMode::kTimed) {
    refuse(line, fmt::format("--benchmark-mode {} with --qps max", vectordb::mode_word(search.mode)),
           "each run of a search takes --runtime: find the effort by a sweep first, and give it by --search-ef");
  }
  if (reader.given("insert-rate")) {
    refuse(line, "--insert-rate with --qps max: the collection would grow from run to run", "leave one of them out");
  }
  if (!reader.given("recall-targets")) return;
  if (search.targets.size() > 1) {
    refuse(line, "--recall-targets with several values and --qps max", "give the one recall that is needed");
  } else if (!search.targets.empty()) {
    options.needed_recall = search.targets.front();
  }
}

}  // namespace mlps::cli
