#include "benchmarks/vectordb/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace mlps::vectordb {

std::string_view engine_word(EngineKind kind) {
  constexpr std::array<std::string_view, 5> kWords = {"embedded", "milvus", "pgvector", "elasticsearch", "opensearch"};
  return kWords[static_cast<size_t>(kind)];
}

std::string_view mode_word(SearchMode mode) {
  constexpr std::array<std::string_view, 3> kWords = {"timed", "query_count", "sweep"};
  return kWords[static_cast<size_t>(mode)];
}

std::string_view cache_word(CacheState state) {
  constexpr std::array<std::string_view, 3> kWords = {"asis", "warm", "cold"};
  return kWords[static_cast<size_t>(state)];
}

double size_factor(IndexKind kind) {
  switch (kind) {
    case IndexKind::kFlat:
      return 1.0;
    case IndexKind::kIvfFlat:
      return 1.05;
    case IndexKind::kIvfSq8:
      return 0.40;
    case IndexKind::kHnsw:
      return 1.5;
    case IndexKind::kDiskAnn:
      return 1.3;
    case IndexKind::kAiSaq:
      return 0.15;
  }
  return 1.3;
}

double official_bytes(const Settings& settings) {
  return static_cast<double>(raw_bytes(settings)) * size_factor(settings.collection.index) * settings.collection.shards;
}

uint32_t effective_effort(IndexKind kind, uint32_t effort, uint32_t limit) {
  const bool counts_candidates = kind == IndexKind::kHnsw || kind == IndexKind::kDiskAnn || kind == IndexKind::kAiSaq;
  return counts_candidates ? std::max(effort, limit) : effort;
}

std::string_view effort_word(IndexKind kind) {
  switch (kind) {
    case IndexKind::kHnsw:
      return "ef";
    case IndexKind::kDiskAnn:
    case IndexKind::kAiSaq:
      return "search_list";
    case IndexKind::kIvfFlat:
    case IndexKind::kIvfSq8:
      return "nprobe";
    case IndexKind::kFlat:
      break;
  }
  return {};
}

std::string model_word(const Settings& settings) {
  return fmt::format("{}_{}", engine_word(settings.engine), index_name(settings.collection.index));
}

}  // namespace mlps::vectordb
