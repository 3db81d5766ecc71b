#include "benchmarks/vectordb/queries.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>
#include <random>

#include "base/log.hpp"
#include "base/read_file.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"
#include "results/digests.hpp"
#include "results/run_folder.hpp"

namespace mlps::vectordb {
namespace {

constexpr uint64_t kMostTruthBytes = uint64_t{16} << 30;

Result<GroundTruth> stored_truth(const std::string& path, const std::string& identity) {
  const auto text = read_file(path, "exact answers", kMostTruthBytes);
  if (!text) return fail(text.error());
  auto truth = parse_truth(std::as_bytes(std::span(*text)));
  if (!truth) {
    truth.error().message = fmt::format("{}: {}", path, truth.error().message);
    return fail(truth.error());
  }
  if (truth->identity == identity) return truth;
  return fail(ErrorCode::kDataMismatch, fmt::format("{} holds the exact answers of something else", path), {},
              "delete the file");
}

}  // namespace

Result<VectorBlock> make_queries(const SearchSettings& search, const SourceSpec& source, const VectorSource& base) {
  const bool of_file = source.distribution == Distribution::kFile;
  if (!search.query_file.empty()) return read_queries(search.query_file, source.dimension, search.query_vectors);
  if (search.planted) {
    return planted_queries(base, search.query_vectors, static_cast<float>(search.noise), search.query_seed, of_file);
  }
  if (of_file) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("the vectors are from {}: there is no distribution to draw queries from", source.file.path),
                {}, "give --query-file, or --query-mode planted");
  }
  SourceSpec spec = source;
  spec.rows = search.query_vectors;
  spec.stream = Stream::kQuery;
  if (spec.distribution != Distribution::kClustered) spec.seed = search.query_seed;  // clusters are the seed's
  const auto stream = make_source(spec);
  if (!stream) return fail(stream.error());
  VectorBlock queries(source.dimension, search.query_vectors);
  if (Status made = (*stream)->read(0, queries.values); !made) return fail(made.error());
  return queries;
}

Result<FoundTruth> find_truth(const VectorSource& base, VectorView queries, const TruthOptions& options,
                              const SearchSettings& search, const std::string& folder) {
  if (!search.truth_file.empty()) {
    auto truth = read_truth(search.truth_file, base, queries, options, search.recall_k);
    if (!truth) return fail(truth.error());
    return FoundTruth{std::move(*truth), false};
  }
  const std::string identity = truth_identity(base, queries, options);
  const std::string path = folder.empty()
                               ? std::string()
                               : fmt::format("{}/truth-{}.bin", folder, results::sha256_hex(identity).substr(0, 24));
  std::error_code ignored;
  if (!path.empty() && std::filesystem::exists(path, ignored)) {
    auto truth = stored_truth(path, identity);
    if (!truth) return fail(truth.error());
    return FoundTruth{std::move(*truth), true};
  }
  auto truth = compute_truth(base, queries, options);
  if (!truth) return fail(truth.error());
  if (!path.empty()) {
    std::filesystem::create_directories(folder, ignored);
    const std::vector<std::byte> bytes = serialise(*truth);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (Status kept = results::write_file(path, text, results::Durability::kRenamed); !kept) return fail(kept.error());
  }
  return FoundTruth{std::move(*truth), false};
}

std::vector<uint32_t> query_order(uint64_t queries, uint64_t seed, uint32_t rank, bool lockstep) {
  std::vector<uint32_t> order(queries);
  std::iota(order.begin(), order.end(), 0U);
  if (lockstep) return order;
  std::mt19937_64 random(seed * 0x9E3779B97F4A7C15U + rank);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

}  // namespace mlps::vectordb
