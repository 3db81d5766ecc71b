#include "benchmarks/kvcache/rag.hpp"

#include <algorithm>
#include <numeric>

namespace mlps::kvcache {
namespace {

constexpr uint64_t kDocumentStream = 5;
constexpr uint32_t kLargeModelLayers = 64;
constexpr uint32_t kFewestGenerated = 50, kMostGenerated = 200;  // tokens of an answer about a document

}  // namespace

Documents::Documents(const RagRules& rules, const Model& model, uint32_t tensor_parallel, uint64_t seed)
    : rules_(rules) {
  const uint64_t per_token = std::max<uint64_t>(1, model.entry_bytes(1, tensor_parallel));
  chunk_tokens_ = static_cast<uint32_t>(
      std::clamp<uint64_t>(rules.most_chunk_bytes / per_token, 1, std::max(1u, rules.chunk_tokens)));
  const bool large = model.layers >= kLargeModelLayers;
  for (uint32_t document = 0; document < rules.documents; ++document) {
    Random random(seed, kDocumentStream, document);
    tokens_.push_back(static_cast<uint32_t>(
        random.integer(large ? rules.large_low : rules.small_low, large ? rules.large_high : rules.small_high)));
  }
}

Documents::LookUp Documents::draw(Random& random) const {
  LookUp found;
  found.document = static_cast<uint32_t>(random.integer(0, count() - 1));
  std::vector<uint32_t> left(chunks(found.document));
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty() && found.chunks.size() < rules_.chunks_read) {
    const auto weight = [&](uint32_t chunk) { return rules_.zipfian ? 1.0 / (chunk + 1) : 1.0; };
    double sum = 0;
    for (const uint32_t chunk : left) sum += weight(chunk);
    double drawn = random.unit() * sum;
    auto chosen = left.begin();
    while (chosen + 1 != left.end() && drawn >= weight(*chosen)) drawn -= weight(*chosen++);
    found.chunks.push_back(*chosen);
    left.erase(chosen);
  }
  return found;
}

Request Documents::about(const LookUp& found, Random& random) const {
  Request request;
  request.key = {found.document, 0, 0, EntryKind::kContext};
  for (const uint32_t chunk : found.chunks) request.context += chunk_tokens(found.document, chunk);
  request.generation = static_cast<uint32_t>(random.integer(kFewestGenerated, kMostGenerated));
  return request;
}

}  // namespace mlps::kvcache
