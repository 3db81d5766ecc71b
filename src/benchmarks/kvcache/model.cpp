#include "benchmarks/kvcache/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace mlps::kvcache {
namespace {

using nlohmann::json;

constexpr uint64_t kMostOfAnyKey = 1u << 24;

Model grouped_model(const char* key, const char* name, uint32_t layers, uint32_t kv_heads, uint32_t width) {
  Model model;
  model.key = key;
  model.name = name;
  model.layers = layers;
  model.kv_heads = kv_heads;
  model.key_width = model.value_width = width;
  return model;
}

std::array<Model, 9> make_models() {
  Model deepseek = grouped_model("deepseek-v3", "Deepseek v3", 61, 128, 0);
  deepseek.latent = 512;
  deepseek.rope = 64;
  return {grouped_model("tiny-1b", "Tiny 1B", 12, 4, 128),
          grouped_model("mistral-7b", "Mistral 7B", 32, 8, 128),
          grouped_model("llama2-7b", "Llama 2 7B", 32, 32, 128),
          grouped_model("llama3.1-8b", "Llama 3.1 8B", 32, 8, 128),
          grouped_model("llama3.1-70b-instruct", "Llama 3.1 70B Instruct", 80, 8, 128),
          deepseek,
          grouped_model("qwen3-32b", "Qwen 3 32B", 64, 8, 128),
          grouped_model("gpt-oss-120b", "GPT-OSS 120B (5.1B active)", 36, 8, 64),
          grouped_model("gpt-oss-20b", "GPT-OSS 20B (3.6B active)", 24, 8, 64)};
}

/// Reads whole numbers of one JSON object, and keeps the first error.
class ConfigReader {
 public:
  ConfigReader(const json& object, std::string name) : object_(object), name_(std::move(name)) {}

  /// Returns the number of a key: `absent` where there is none or null.
  uint32_t number(const char* key, std::optional<uint32_t> absent) {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) {
      if (!absent) complain(key, "is missing");
      return absent.value_or(1);
    }
    const bool whole = found->is_number_unsigned() && found->get<uint64_t>() <= kMostOfAnyKey;
    if (!whole) complain(key, fmt::format("is not a number from 0 to {}", kMostOfAnyKey));
    return whole ? static_cast<uint32_t>(found->get<uint64_t>()) : 1;
  }
  uint32_t positive(const char* key, std::optional<uint32_t> absent) {
    const uint32_t value = number(key, absent);
    if (value == 0) complain(key, "is 0");
    return std::max(value, 1u);
  }
  std::string text(const char* key) const {
    const auto found = object_.find(key);
    return found != object_.end() && found->is_string() ? found->get<std::string>() : std::string();
  }
  bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }
  const json& at(const char* key) const { return object_[key]; }

  void complain(const char* key, const std::string& what) {
    if (!error_) error_ = Error{ErrorCode::kConfigParse, fmt::format("{}: {} {}", name_, key, what), {}, {}};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const json& object_;
  const std::string name_;
  std::optional<Error> error_;
};

uint32_t element_bytes_of(ConfigReader& reader) {
  const std::string type = reader.has("torch_dtype") ? reader.text("torch_dtype") : reader.text("dtype");
  if (type.empty() || type == "float16" || type == "bfloat16") return 2;
  if (type == "float32") return 4;
  if (type == "int8" || type.starts_with("float8")) return 1;
  reader.complain("torch_dtype", "is not float32, float16, bfloat16, float8 or int8");
  return 2;
}

void read_sliding(ConfigReader& reader, Model& model) {
  const bool off = reader.has("use_sliding_window") && reader.at("use_sliding_window") == false;
  if (off || !reader.has("sliding_window")) return;
  model.sliding_window = reader.positive("sliding_window", std::nullopt);
  if (!reader.has("layer_types")) {
    // Where no list says which layers slide, those from max_window_layers on do, or all.
    const uint32_t full = reader.has("max_window_layers") ? reader.number("max_window_layers", 0) : 0;
    model.sliding_layers = model.layers - std::min(full, model.layers);
    return;
  }
  const json& types = reader.at("layer_types");
  if (!types.is_array() || types.size() != model.layers)
    return reader.complain("layer_types", "has not a type per layer");
  model.sliding_layers = static_cast<uint32_t>(std::count(types.begin(), types.end(), "sliding_attention"));
}

Result<Model> model_of(const json& config, const std::string& name) {
  ConfigReader reader(config, name);
  Model model;
  model.key = model.name = name;
  model.layers = reader.positive("num_hidden_layers", std::nullopt);
  const uint32_t heads = reader.positive("num_attention_heads", std::nullopt);
  model.kv_heads = reader.positive("num_key_value_heads", heads);
  model.element_bytes = element_bytes_of(reader);
  if (reader.has("kv_lora_rank")) {
    model.latent = reader.positive("kv_lora_rank", std::nullopt);
    model.rope = reader.number("qk_rope_head_dim", std::nullopt);
  } else {
    const bool says_width = reader.has("head_dim");
    model.key_width =
        says_width ? reader.positive("head_dim", std::nullopt) : reader.positive("hidden_size", std::nullopt) / heads;
    if (model.key_width == 0) reader.complain("hidden_size", "is less than num_attention_heads");
    model.value_width = reader.positive("v_head_dim", std::max(model.key_width, 1u));
  }
  read_sliding(reader, model);
  if (reader.error()) return fail(*reader.error());
  return model;
}

}  // namespace

uint64_t Model::entry_bytes(uint64_t tokens, uint32_t tensor_parallel) const {
  const uint64_t kept = sliding_layers == 0 ? tokens : std::min(tokens, sliding_window);
  const uint64_t elements = elements_per_layer() * ((layers - sliding_layers) * tokens + sliding_layers * kept);
  return elements / tensor_parallel * element_bytes;
}

std::span<const Model> known_models() {
  static const std::array<Model, 9> kModels = make_models();
  return kModels;
}

const Model* find_model(std::string_view key) {
  const auto models = known_models();
  const auto found = std::find_if(models.begin(), models.end(), [&](const Model& model) { return model.key == key; });
  return found == models.end() ? nullptr : &*found;
}

Result<Model> parse_model_config(std::string_view text, const std::string& name) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) return fail(ErrorCode::kConfigParse, fmt::format("{}: no JSON object", name));
  const auto inner = config.find("text_config");
  return model_of(inner != config.end() && inner->is_object() ? *inner : config, name);
}

}  // namespace mlps::kvcache
