#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace mlps::kvcache {

/// What the keys and values of one token take in a model. Attention with keys and values of their own (MHA, GQA) stores
/// kv_heads x (key width + value width) elements a layer, one with a latent (MLA) latent + rope elements.
struct Model {
  std::string key;   ///< "llama3.1-8b"
  std::string name;  ///< "Llama 3.1 8B"
  uint32_t layers = 0;
  uint32_t kv_heads = 0;
  uint32_t key_width = 0, value_width = 0;  ///< of one head
  uint32_t latent = 0, rope = 0;            ///< MLA: kv_lora_rank and qk_rope_head_dim; else 0
  uint32_t element_bytes = 2;
  uint32_t sliding_layers = 0;  ///< of the layers, those that keep the last `sliding_window` tokens only
  uint64_t sliding_window = 0;  ///< tokens

  bool is_latent() const { return latent > 0; }
  /// Returns the elements of one token in one layer.
  uint64_t elements_per_layer() const {
    return is_latent() ? uint64_t{latent} + rope : uint64_t{kv_heads} * (uint64_t{key_width} + value_width);
  }
  /// Returns the bytes of one token in all layers, sliding or not.
  uint64_t bytes_per_token() const { return layers * elements_per_layer() * element_bytes; }
  /// Returns the bytes of an entry of `tokens` on one of `tensor_parallel` devices: the elements are divided between
  /// them, rounded down.
  uint64_t entry_bytes(uint64_t tokens, uint32_t tensor_parallel = 1) const;
};

/// Returns the nine models of mlpstorage 3.0, in its order.
std::span<const Model> known_models();
/// Returns the model with this key, or nullptr.
const Model* find_model(std::string_view key);

inline constexpr uint64_t kMostModelTokens = 10'000'000;

/// Reads a model from the text of a `config.json` as Hugging Face's transformers have it: MHA, GQA and MLA, other head
/// widths than hidden size over heads, values of another width than keys, sliding windows, and models with an inner
/// `text_config`. E104 names the key that is missing or out of range.
Result<Model> parse_model_config(std::string_view text, const std::string& name);

}  // namespace mlps::kvcache
