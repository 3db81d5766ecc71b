#include "benchmarks/vectordb/vectors.hpp"

#include <strings.h>

#include <array>
#include <utility>

#include "benchmarks/vectordb/engine.hpp"

namespace mlps::vectordb {
namespace {

/// Returns the value of that name, upper or lower case, in a table of (value, name).
template <class Value, size_t count>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, count>& table,
                              std::string_view wanted) {
  for (const auto& [value, name] : table) {
    if (name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), name.size()) == 0) return value;
  }
  return std::nullopt;
}

template <class Value, size_t count>
std::string_view name_of(const std::array<std::pair<Value, std::string_view>, count>& table, Value wanted) {
  for (const auto& [value, name] : table) {
    if (value == wanted) return name;
  }
  return "?";
}

constexpr std::array<std::pair<Metric, std::string_view>, 3> kMetrics{
    {{Metric::kCosine, "COSINE"}, {Metric::kL2, "L2"}, {Metric::kInnerProduct, "IP"}}};

constexpr std::array<std::pair<IndexKind, std::string_view>, 6> kIndexes{{{IndexKind::kFlat, "FLAT"},
                                                                          {IndexKind::kIvfFlat, "IVF_FLAT"},
                                                                          {IndexKind::kIvfSq8, "IVF_SQ8"},
                                                                          {IndexKind::kHnsw, "HNSW"},
                                                                          {IndexKind::kDiskAnn, "DISKANN"},
                                                                          {IndexKind::kAiSaq, "AISAQ"}}};

constexpr std::array<std::pair<Distribution, std::string_view>, 5> kDistributions{
    {{Distribution::kUniform, "uniform"},
     {Distribution::kNormal, "normal"},
     {Distribution::kZipfian, "zipfian"},
     {Distribution::kClustered, "clustered"},
     {Distribution::kFile, "file"}}};

}  // namespace

std::string_view metric_name(Metric metric) {
  return name_of(kMetrics, metric);
}
std::optional<Metric> metric_of(std::string_view name) {
  return value_of(kMetrics, name);
}
std::string_view index_name(IndexKind kind) {
  return name_of(kIndexes, kind);
}
std::optional<IndexKind> index_of(std::string_view name) {
  return value_of(kIndexes, name);
}
std::string_view distribution_name(Distribution distribution) {
  return name_of(kDistributions, distribution);
}
std::optional<Distribution> distribution_of(std::string_view name) {
  return value_of(kDistributions, name);
}

}  // namespace mlps::vectordb
