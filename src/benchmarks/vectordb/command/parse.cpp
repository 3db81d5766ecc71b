#include "benchmarks/vectordb/command/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <initializer_list>

#include "base/environment.hpp"
#include "base/text.hpp"
#include "benchmarks/vectordb/command/config_file.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"
#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

using vectordb::EngineKind;
using vectordb::IndexKind;
using vectordb::Settings;

constexpr std::string_view kByCommand = "the command's default";
constexpr double kLeastClosedRuntime = 30;  // by the run checker of mlpstorage 3.0

VectorDbCommand command_of_word(std::string_view word) {
  if (word == "datagen") return VectorDbCommand::kDatagen;
  if (word == "run") return VectorDbCommand::kRun;
  return word == "configview" ? VectorDbCommand::kConfigview : VectorDbCommand::kDatasize;
}

void refuse(CommandLine& line, std::string message, std::string suggestion) {
  line.errors.push_back({ErrorCode::kConfigInvalid, std::move(message), {}, std::move(suggestion)});
}

EngineKind engine_of(const std::string& word, Mode mode) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(EngineKind::kOpensearch); ++i) {
    const auto kind = static_cast<EngineKind>(i);
    if (word == vectordb::engine_word(kind)) return kind;
  }
  return mode == Mode::kWhatif ? EngineKind::kEmbedded : EngineKind::kMilvus;
}

uint16_t usual_port(EngineKind kind) {
  switch (kind) {
    case EngineKind::kMilvus:
      return 19530;
    case EngineKind::kPgvector:
      return 5432;
    case EngineKind::kElasticsearch:
    case EngineKind::kOpensearch:
      return 9200;
    case EngineKind::kEmbedded:
      break;
  }
  return 0;
}

/// Gives flags whose default depends on the command or on other flags their value, where nothing else does.
void fill_defaults(CommandLine& line, VectorDbCommand which) {
  const auto fill = [&](const char* flag, std::string value) {
    const Flag* row = line.command.find_flag(flag);
    if (row == nullptr || !line.command.has_in_some_mode(*row)) return;
    line.tokens.settings.try_emplace(flag, Setting{{std::move(value)}, Source::kUserFile, std::string(kByCommand)});
  };
  fill("batch-size", which == VectorDbCommand::kRun ? "1" : "1000");
  fill("seed", "42");
  // What a search has read stays in the page cache, as --cache-state says.
  if (which == VectorDbCommand::kRun) fill("fadvise", "none");
  if (!line.tokens.settings.contains("queries")) fill("runtime", "60");
}

/// --vdb-index and --index-type are two words for one thing.
void read_index(Reader& reader, CommandLine& line, Settings& settings) {
  const bool both = reader.given("vdb-index") && reader.given("index-type");
  const bool typed_both = both && reader.origin("vdb-index") == "flag" && reader.origin("index-type") == "flag";
  const std::string vdb = reader.choice("vdb-index"), type = reader.choice("index-type");
  if (typed_both && vdb != type) {
    refuse(line, fmt::format("--vdb-index {} and --index-type {} differ", vdb, type), "give one of them");
  }
  const bool by_type =
      reader.given("index-type") && (!reader.given("vdb-index") || reader.origin("vdb-index") != "flag");
  settings.collection.index = vectordb::index_of(by_type ? type : vdb).value_or(IndexKind::kDiskAnn);
  const bool closed_has = settings.collection.index == IndexKind::kDiskAnn ||
                          settings.collection.index == IndexKind::kHnsw ||
                          settings.collection.index == IndexKind::kAiSaq;
  if (line.command.mode == Mode::kClosed && !closed_has) {
    refuse(line, fmt::format("--vdb-index {} in closed", vectordb::index_name(settings.collection.index)),
           "closed has DISKANN, HNSW and AISAQ (5.6.3); measure this with 'open'");
  }
}

bool is_typed(Reader& reader, const char* flag) {
  return reader.given(flag) && reader.origin(flag) == "flag";
}

/// Returns the path of FILE or FILE#PART from the root on, since it is read again by other commands.
std::string file_word(Reader& reader, CommandLine& line, const char* flag) {
  const std::string text = reader.text(flag);
  return text.empty() ? text : std::filesystem::absolute(expanded_path(text, line.environment)).string();
}

/// Vectors from a file: it says how many they are, and may say what metric they are for.
Status read_base_file(Reader& reader, const std::string& word, Settings& settings) {
  const auto file = vectordb::open_rows(word, vectordb::kBasePart);
  if (!file) return fail(file.error());
  vectordb::SourceSpec& source = settings.source;
  const vectordb::RowFile& rows = **file;
  const auto differs = [&](const char* flag, const std::string& found) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("--{} {}: {} {}", flag, reader.text(flag), rows.bytes().name(), found), {},
                fmt::format("leave --{} out", flag));
  };
  if (is_typed(reader, "distribution")) return differs("distribution", "has vectors, none are generated");
  if (is_typed(reader, "dimension") && source.dimension != rows.columns()) {
    return differs("dimension", fmt::format("has vectors of {} elements", rows.columns()));
  }
  if (is_typed(reader, "num-vectors") && source.rows > rows.rows()) {
    return differs("num-vectors", fmt::format("has {} vectors", rows.rows()));
  }
  if (rows.columns() > vectordb::kMaxDimension) {
    return rows.bytes().wrong(
        fmt::format("its vectors have {} elements; up to {} are indexed", rows.columns(), vectordb::kMaxDimension));
  }
  const auto metric = vectordb::metric_of_file(rows);
  if (!metric) return fail(metric.error());
  if (*metric && **metric != settings.collection.metric) {
    return fail(
        ErrorCode::kConfigIncompatible,
        fmt::format("--metric-type {}: the vectors of {} are for {}", vectordb::metric_name(settings.collection.metric),
                    rows.bytes().name(), vectordb::metric_name(**metric)),
        {}, fmt::format("give --metric-type {}", vectordb::metric_name(**metric)));
  }
  if (!is_typed(reader, "num-vectors")) source.rows = rows.rows();
  source.dimension = rows.columns();
  source.distribution = vectordb::Distribution::kFile;
  source.file.path = rows.bytes().name();
  if (word.size() > source.file.path.size()) source.file.part = word.substr(source.file.path.size() + 1);
  return {};
}

void read_collection(Reader& reader, CommandLine& line, Settings& settings) {
  vectordb::CollectionSpec& spec = settings.collection;
  read_index(reader, line, settings);
  spec.name = reader.text("collection");
  spec.metric = vectordb::metric_of(reader.choice("metric-type")).value_or(vectordb::Metric::kCosine);
  spec.shards = reader.small("num-shards");
  const auto set = [&](const char* flag, uint32_t& value) {
    if (reader.given(flag)) value = reader.small(flag);
  };
  set("max-degree", spec.max_degree);
  set("search-list-size", spec.search_list_size);
  set("M", spec.m);
  set("ef-construction", spec.ef_construction);
  spec.inline_codes = 16;
  set("inline-pq", spec.inline_codes);
  set("code-bytes", spec.code_bytes);
  vectordb::SourceSpec& source = settings.source;
  source.distribution =
      vectordb::distribution_of(reader.choice("distribution")).value_or(vectordb::Distribution::kUniform);
  source.rows = reader.integer("num-vectors");
  source.dimension = reader.small("dimension");
  source.seed = reader.integer("seed");
  const std::string base_file = file_word(reader, line, "base-file");
  if (line.command.word() == "run") {
    settings.search.base_file = base_file;
  } else if (!base_file.empty()) {
    if (Status read = read_base_file(reader, base_file, settings); !read) line.errors.push_back(read.error());
  }
  spec.dimension = source.dimension;
  spec.expected_rows = source.rows;
  spec.seed = source.seed;
  spec.lists = static_cast<uint32_t>(std::clamp(4 * std::sqrt(static_cast<double>(source.rows)), 1.0, 65536.0));
  spec.lists = static_cast<uint32_t>(std::min<uint64_t>(spec.lists, std::max<uint64_t>(source.rows, 1)));
  set("nlist", spec.lists);
}

/// "http://host:9200" is a host, TLS or none, and a port.
void read_server(Reader& reader, CommandLine& line, Settings& settings) {
  vectordb::ServerAddress& server = settings.server;
  server.host = reader.text("host");
  server.tls = reader.on("tls");
  server.port = usual_port(settings.engine);
  if (server.host.starts_with("https://")) server.tls = true;
  const size_t scheme = server.host.find("://");
  if (scheme != std::string::npos) server.host.erase(0, scheme + 3);
  while (server.host.ends_with('/')) server.host.pop_back();
  const size_t colon = server.host.rfind(':');
  if (colon != std::string::npos && server.host.find(':') == colon) {
    const auto port = parse_number<uint16_t>(server.host.substr(colon + 1));
    if (!port || *port == 0) refuse(line, fmt::format("--host: '{}' ends in no port", server.host), "give --port");
    server.port = port.value_or(0);
    server.host.resize(colon);
  }
  if (server.host.empty() || server.host.find_first_of("/@ ") != std::string::npos) {
    refuse(line, fmt::format("--host: '{}' is no name or address of a host", server.host),
           "user and password are given by --user and the environment");
  }
  if (reader.given("port")) server.port = static_cast<uint16_t>(reader.integer("port"));
  server.database = reader.text("database-name");
  server.user = reader.text("user");
  server.ca_file = reader.text("ca-file");
  server.timeout_s = reader.real("request-timeout");
  server.interval_s = static_cast<double>(reader.integer("monitor-interval"));
  server.patience_s = static_cast<double>(reader.integer("ready-timeout"));
  const auto environment = [&](const char* name, std::string& value) {
    const std::string prefix = settings.engine == EngineKind::kMilvus     ? "MILVUS__"
                               : settings.engine == EngineKind::kPgvector ? "PGVECTOR__"
                                                                          : "ELASTICSEARCH__";
    if (!value.empty()) return;
    if (const auto found = line.environment.get(prefix + name)) value = *found;
  };
  environment("PASSWORD", server.secret);
  environment(settings.engine == EngineKind::kMilvus ? "TOKEN" : "API_KEY", server.token);
  environment("USER", server.user);
  environment("DBNAME", server.database);
  if (settings.engine == EngineKind::kEmbedded) return;
  std::string host, port;
  environment("HOST", host);
  environment("PORT", port);
  if (!host.empty() && !reader.given("host")) server.host = host;
  if (const auto number = parse_number<uint16_t>(port); number && !reader.given("port")) server.port = *number;
}

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

void read_search(Reader& reader, CommandLine& line, Settings& settings) {
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

/// Reads what a search for the edge needs, and looks at what doesn't go with it.
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

/// Flags that mean something for the program's own engine only, or for servers only.
void check_engine_flags(Reader& reader, CommandLine& line, const VectorDbOptions& options) {
  constexpr std::array kOwn = {"build-memory", "code-bytes", "cache-memory", "beam-width", "filter-share"};
  constexpr std::array kServers = {"host", "port", "database-name", "user", "tls", "ca-file", "request-timeout"};
  const bool embedded = options.settings.engine == EngineKind::kEmbedded;
  for (const char* flag : kOwn) {
    if (!embedded && reader.given(flag)) {
      refuse(line, fmt::format("--{} with --vdb-engine {}", flag, vectordb::engine_word(options.settings.engine)),
             "it is about the program's own engine: leave it out");
    }
  }
  for (const char* flag : kServers) {
    if (embedded && reader.given(flag) && reader.origin(flag) == "flag") {
      refuse(line, fmt::format("--{} with --vdb-engine embedded", flag), "no server is spoken to: leave it out");
    }
  }
  if (options.settings.search.cache == vectordb::CacheState::kWarm &&
      options.fadvise == storage::FadviseMode::kDontNeed && options.which == VectorDbCommand::kRun) {
    refuse(line, "--cache-state warm with --fadvise dontneed", "what was read would leave the page cache at once");
  }
  if (options.settings.engine != EngineKind::kOpensearch && reader.given("knn-engine")) {
    refuse(line, "--knn-engine without --vdb-engine opensearch", "leave it out");
  }
  const bool uses_storage = options.which == VectorDbCommand::kDatagen || options.which == VectorDbCommand::kRun;
  if (embedded && uses_storage && options.settings.storage_root.empty()) {
    line.errors.push_back({ErrorCode::kConfigMissing,
                           "--storage-root is required with --vdb-engine embedded",
                           {},
                           "give the folder, bucket prefix or null:// that the index is kept in"});
  }
  if (!embedded && options.settings.search.cache != vectordb::CacheState::kAsIs &&
      options.settings.storage_root.empty()) {
    refuse(line, "--cache-state without --storage-root", "a server's files must be on this host, and known");
  }
  if (options.common.mode == Mode::kClosed && options.settings.engine != EngineKind::kMilvus) {
    refuse(line, fmt::format("--vdb-engine {} in closed", vectordb::engine_word(options.settings.engine)),
           "closed has milvus only (5.6.2); measure this with 'open' or 'whatif'");
  }
  if (options.verify) {
    refuse(line, "--verify with vectordb", "answers are compared with exact ones in every run: leave it out");
  }
}

void read_engine(Reader& reader, VectorDbOptions& options) {
  Settings& settings = options.settings;
  settings.engine_is_default = !reader.given("vdb-engine");
  settings.engine = engine_of(reader.choice("vdb-engine"), options.common.mode);
  settings.config = reader.text("config");
  settings.storage_root = reader.text("storage-root");
  settings.storage_type = reader.text("storage-type");
  settings.knn_engine = reader.choice("knn-engine");
  settings.load.batch = reader.small("batch-size");
  settings.load.force = reader.on("force");
  settings.load.compact = reader.on("compact");
  settings.load.build_memory = reader.given("build-memory") ? reader.size("build-memory") : 0;
  options.ranks_per_host = std::max(reader.small("npernode"), 1U);
  options.truth_folder = reader.text("gt-cache-dir");
}

/// The configuration under the names of mlpstorage 3.0. Values that the user gave are said to be the user's.
void fill_values(Reader& reader, VectorDbOptions& options) {
  const Settings& settings = options.settings;
  const vectordb::CollectionSpec& spec = settings.collection;
  const auto set = [&](const std::string& key, const char* flag, auto value) {
    const bool user = *flag != '\0' && reader.given(flag) && reader.origin(flag) == "flag";
    options.values[key] = {fmt::format("{}", value),
                           user ? workloads::ValueSource::kUserParams : workloads::ValueSource::kWorkloadFile};
  };
  set("engine", "vdb-engine", vectordb::engine_word(settings.engine));
  set("index_type", "vdb-index", vectordb::index_name(spec.index));
  set("database.database", "vdb-engine", vectordb::engine_word(settings.engine));
  set("index.index_type", "vdb-index", vectordb::index_name(spec.index));
  if (settings.engine != EngineKind::kEmbedded && options.which != VectorDbCommand::kDatasize) {
    set("database.host", "host", settings.server.host);
    set("database.port", "port", settings.server.port);
  }
  set("dataset.collection_name", "collection", spec.name);
  if (!settings.storage_root.empty()) set("storage.storage_root", "storage-root", settings.storage_root);
  set("storage.storage_type", "storage-type", settings.storage_type);
  const bool loads = options.which != VectorDbCommand::kRun;
  if (loads) {
    for (const char* prefix : {"", "dataset."}) {
      set(std::string(prefix) + "num_vectors", "num-vectors", settings.source.rows);
      set(std::string(prefix) + "dimension", "dimension", settings.source.dimension);
    }
    if (!settings.source.file.path.empty()) set("dataset.base_file", "base-file", settings.source.file.path);
    set("dataset.distribution", "distribution", vectordb::distribution_name(settings.source.distribution));
    set("dataset.num_shards", "num-shards", spec.shards);
    set("dataset.batch_size", "batch-size", settings.load.batch);
    set("dataset.seed", "seed", settings.source.seed);
    set("index.metric_type", "metric-type", vectordb::metric_name(spec.metric));
    const bool graph = spec.index == IndexKind::kDiskAnn || spec.index == IndexKind::kAiSaq;
    if (graph) set("index.max_degree", "max-degree", spec.max_degree);
    if (graph) set("index.search_list_size", "search-list-size", spec.search_list_size);
    if (spec.index == IndexKind::kAiSaq) set("index.inline_pq", "inline-pq", spec.inline_codes);
    if (spec.index == IndexKind::kHnsw) set("index.M", "M", spec.m);
    if (spec.index == IndexKind::kHnsw) set("index.ef_construction", "ef-construction", spec.ef_construction);
    if (spec.index == IndexKind::kIvfFlat || spec.index == IndexKind::kIvfSq8) set("index.nlist", "nlist", spec.lists);
  }
  if (loads && options.which != VectorDbCommand::kConfigview) return;
  const vectordb::SearchSettings& search = settings.search;
  set("benchmark.mode", "benchmark-mode", vectordb::mode_word(search.mode));
  if (search.mode == vectordb::SearchMode::kQueryCount) set("benchmark.queries", "queries", search.queries);
  if (search.mode != vectordb::SearchMode::kQueryCount) set("benchmark.runtime", "runtime", search.runtime_s);
  set("benchmark.batch_size", "batch-size", search.batch);
  set("benchmark.num_query_processes", "num-query-processes", search.workers);
  set("benchmark.recall_k", "recall-k", search.recall_k);
  set("benchmark.search_limit", "search-limit", search.limit);
  set("benchmark.search_ef", "search-ef", search.effort);
  if (!search.query_file.empty()) set("benchmark.query_file", "query-file", search.query_file);
  if (!search.truth_file.empty()) set("benchmark.truth_file", "truth-file", search.truth_file);
  if (search.query_vectors != 0) set("benchmark.num_query_vectors", "num-query-vectors", search.query_vectors);
}

}  // namespace

ParsedVectorDb parse_vectordb(CommandLine line) {
  ParsedVectorDb parsed;
  VectorDbOptions& options = parsed.options;
  options.which = command_of_word(line.command.word());
  apply_vectordb_config(line);
  fill_defaults(line, options.which);
  Reader reader(line.tokens.settings, line.command, line.errors);
  read_benchmark(reader, line, options);
  read_engine(reader, options);
  read_collection(reader, line, options.settings);
  read_server(reader, line, options.settings);
  read_search(reader, line, options.settings);
  read_edge(reader, line, options);
  check_engine_flags(reader, line, options);
  options.model = vectordb::model_word(options.settings);
  if (!options.common.params.empty()) {
    refuse(line,
           fmt::format("--params {}: vectordb has no parameters besides its flags", options.common.params[0].first),
           "give the flag of that name; 'mlpstorage open vectordb run --help' lists them");
  }
  fill_values(reader, options);
  finish_benchmark(reader, line, options, line);
  static_cast<ParseOutcome&>(parsed) = std::move(line);
  return parsed;
}

}  // namespace mlps::cli
