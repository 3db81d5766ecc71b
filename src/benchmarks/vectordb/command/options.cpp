#include "benchmarks/vectordb/command/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace mlps::cli {

RankDemand ranks_of(const VectorDbOptions& options) {
  const auto hosts = static_cast<uint32_t>(std::max<size_t>(1, options.hosts.hosts.size()));
  const bool searches = options.which == VectorDbCommand::kRun;
  return {hosts * options.ranks_per_host * (searches ? options.settings.search.workers : 1), searches};
}

Result<Location> folder_of(const VectorDbOptions& options, const Environment& environment) {
  const std::string& root = options.settings.storage_root;
  const bool embedded = options.settings.engine == vectordb::EngineKind::kEmbedded;
  std::error_code ignored;
  // What a server has elsewhere can't be looked at, and is nobody's to be made here.
  if (root.empty() || (!embedded && !std::filesystem::is_directory(root, ignored))) return parse_location("null://");
  return checkpoint_location(root, options.protocol.value_or(AccessProtocol::kFile), options.o_direct, environment);
}

std::vector<std::pair<std::string, std::string>> rows_of(const VectorDbOptions& options) {
  const vectordb::Settings& settings = options.settings;
  std::vector<std::pair<std::string, std::string>> rows;
  rows.emplace_back("vdb_engine", fmt::format("{}{}", vectordb::engine_word(settings.engine),
                                              settings.engine_is_default ? " (default)" : ""));
  rows.emplace_back("vdb_index", vectordb::index_name(settings.collection.index));
  rows.emplace_back("collection", settings.collection.name);
  if (settings.engine != vectordb::EngineKind::kEmbedded && options.which != VectorDbCommand::kDatasize) {
    rows.emplace_back("server", fmt::format("{}:{}", settings.server.host, settings.server.port));
  }
  if (!settings.storage_root.empty()) rows.emplace_back("storage_root", settings.storage_root);
  if (options.which == VectorDbCommand::kRun) {
    rows.emplace_back("benchmark_mode", vectordb::mode_word(settings.search.mode));
    rows.emplace_back("recall_k", std::to_string(settings.search.recall_k));
  } else {
    rows.emplace_back("vectors", fmt::format("{} x {}", settings.source.rows, settings.source.dimension));
  }
  return rows;
}

}  // namespace mlps::cli
