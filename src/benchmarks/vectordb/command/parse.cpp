#include "benchmarks/vectordb/command/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "base/environment.hpp"
#include "base/text.hpp"
#include "benchmarks/vectordb/command/config_file.hpp"
#include "benchmarks/vectordb/command/parse_parts.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"

namespace mlps::cli {
namespace {

using vectordb::EngineKind;
using vectordb::IndexKind;
using vectordb::Settings;

constexpr std::string_view kByCommand = "the command's default";

VectorDbCommand command_of_word(std::string_view word) {
  if (word == "datagen") return VectorDbCommand::kDatagen;
  if (word == "run") return VectorDbCommand::kRun;
  return word == "configview" ? VectorDbCommand::kConfigview : VectorDbCommand::kDatasize;
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
