#pragma once

#include <cstdint>
#include <vector>

#include "benchmarks/kvcache/model.hpp"
#include "benchmarks/kvcache/tuning.hpp"
#include "benchmarks/kvcache/users.hpp"

namespace mlps::kvcache {

/// The documents that the requests of a rank look things up in, cut into chunks: a function of the seed.
class Documents {
 public:
  Documents(const RagRules& rules, const Model& model, uint32_t tensor_parallel, uint64_t seed);

  uint32_t count() const { return static_cast<uint32_t>(tokens_.size()); }
  uint32_t chunks(uint32_t document) const { return (tokens_[document] + chunk_tokens_ - 1) / chunk_tokens_; }
  uint32_t chunk_tokens(uint32_t document, uint32_t chunk) const {
    return std::min(chunk_tokens_, tokens_[document] - chunk * chunk_tokens_);
  }

  /// What a request reads.
  struct LookUp {
    uint32_t document = 0;
    std::vector<uint32_t> chunks;  ///< each once
  };
  LookUp draw(Random& random) const;
  /// Returns the request that asks about a document, with the tokens of the chunks that were looked up.
  Request about(const LookUp& found, Random& random) const;

 private:
  const RagRules rules_;
  uint32_t chunk_tokens_;
  std::vector<uint32_t> tokens_;  // by document
};

}  // namespace mlps::kvcache
