#include "benchmarks/kvcache/config_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/text.hpp"
#include "benchmarks/kvcache/workload.hpp"
#include "flags/text.hpp"

namespace mlps::kvcache {
namespace {

using Numbers = std::vector<double>;

/// A key, its legal numbers, and what they set. Keys without `set` have no effect here: only the shipped value, `low`,
/// is legal.
struct Key {
  std::string_view path;
  double low = 0, high = 0;
  bool whole = false;
  size_t count = 1;  ///< 2: a range, the lower end first
  void (*set)(Tuning&, const Numbers&) = nullptr;
};

constexpr double kMostTokens = 1e7, kMostCount = 1e9, kMostSeconds = 86'400;

Nanos nanoseconds_of(double seconds) {
  return static_cast<Nanos>(std::llround(seconds * kNanosPerSecond));
}
uint32_t whole(double value) {
  return static_cast<uint32_t>(value);
}

template <size_t I>
void set_context(Tuning& t, const Numbers& v) {
  t.personas[I].context_low = whole(v[0]);
  t.personas[I].context_high = whole(v[1]);
}
template <size_t I>
void set_generation(Tuning& t, const Numbers& v) {
  t.personas[I].generation_low = whole(v[0]);
  t.personas[I].generation_high = whole(v[1]);
}
template <size_t I>
void set_think(Tuning& t, const Numbers& v) {
  t.personas[I].think_low_s = v[0];
  t.personas[I].think_high_s = v[1];
}
template <size_t I>
void set_target(Tuning& t, const Numbers& v) {
  t.classes[I].target_p95_ms = v[0];
}
template <size_t I>
void set_token_time(Tuning& t, const Numbers& v) {
  t.token_ns[I] = nanoseconds_of(v[0]);
}
template <auto Part, auto Member>
void set_part(Tuning& t, const Numbers& v) {
  auto& value = (t.*Part).*Member;
  value = static_cast<std::remove_reference_t<decltype(value)>>(v[0]);
}
template <auto Member>
void set_own(Tuning& t, const Numbers& v) {
  auto& value = t.*Member;
  value = static_cast<std::remove_reference_t<decltype(value)>>(v[0]);
}

constexpr auto kKeys = std::to_array<Key>({
    {"user_templates.chatbot.context_range", 1, kMostTokens, true, 2, set_context<0>},
    {"user_templates.chatbot.generation_range", 0, kMostTokens, true, 2, set_generation<0>},
    {"user_templates.chatbot.think_time_range", 0.001, kMostSeconds, false, 2, set_think<0>},
    {"user_templates.coding.context_range", 1, kMostTokens, true, 2, set_context<1>},
    {"user_templates.coding.generation_range", 0, kMostTokens, true, 2, set_generation<1>},
    {"user_templates.coding.think_time_range", 0.001, kMostSeconds, false, 2, set_think<1>},
    {"user_templates.document.context_range", 1, kMostTokens, true, 2, set_context<2>},
    {"user_templates.document.generation_range", 0, kMostTokens, true, 2, set_generation<2>},
    {"user_templates.document.think_time_range", 0.001, kMostSeconds, false, 2, set_think<2>},

    {"qos_profiles.interactive.target_latency_p95_ms", 0.001, kMostCount, false, 1, set_target<0>},
    {"qos_profiles.interactive.target_latency_p99_ms", 100},
    {"qos_profiles.interactive.target_latency_p999_ms", 150},
    {"qos_profiles.interactive.target_latency_p9999_ms", 200},
    {"qos_profiles.interactive.priority", 3},
    {"qos_profiles.responsive.target_latency_p95_ms", 0.001, kMostCount, false, 1, set_target<1>},
    {"qos_profiles.responsive.target_latency_p99_ms", 200},
    {"qos_profiles.responsive.target_latency_p999_ms", 350},
    {"qos_profiles.responsive.target_latency_p9999_ms", 500},
    {"qos_profiles.responsive.priority", 2},
    {"qos_profiles.batch.target_latency_p95_ms", 0.001, kMostCount, false, 1, set_target<2>},
    {"qos_profiles.batch.target_latency_p99_ms", 5000},
    {"qos_profiles.batch.target_latency_p999_ms", 7500},
    {"qos_profiles.batch.target_latency_p9999_ms", 10'000},
    {"qos_profiles.batch.priority", 1},

    {"generation_timing.none", 0, 10, false, 1, set_token_time<0>},
    {"generation_timing.fast", 0, 10, false, 1, set_token_time<1>},
    {"generation_timing.realistic", 0, 10, false, 1, set_token_time<2>},

    {"qos_distribution.interactive_probability", 0, 1, false, 1,
     [](Tuning& t, const Numbers& v) { t.classes[0].below = v[0]; }},
    {"qos_distribution.responsive_threshold", 0, 1, false, 1,
     [](Tuning& t, const Numbers& v) { t.classes[1].below = v[0]; }},

    {"eviction.max_recursion_depth", 1, 10, true, 1, set_part<&Tuning::eviction, &EvictionRules::most_depth>},
    {"eviction.target_usage_ratio", 0.01, 1, false, 1, set_part<&Tuning::eviction, &EvictionRules::target_share>},
    {"eviction.large_entry_limit_ratio", 0.01, 1, false, 1, set_part<&Tuning::eviction, &EvictionRules::largest_share>},
    {"eviction.max_evictions_hard_cap", 1, kMostCount, true, 1, set_part<&Tuning::eviction, &EvictionRules::most>},
    {"eviction.max_evictions_min", 1, kMostCount, true, 1, set_part<&Tuning::eviction, &EvictionRules::least>},

    {"gpu_backend.memory_fraction", 0.9},
    {"gpu_backend.max_eviction_attempts", 100},
    {"gpu_backend.free_memory_threshold", 0.1},

    {"prefix_cache.min_prefix_length", 50},
    {"prefix_cache.max_prefix_entries", 1000},
    {"prefix_cache.system_prompt_hit_probability", 0, 1, false, 1, set_own<&Tuning::prefix_probability>},

    {"rag.chunk_size_tokens", 1, kMostTokens, true, 1, set_part<&Tuning::rag, &RagRules::chunk_tokens>},
    {"rag.top_k_chunks", 1, 1000, true, 1, set_part<&Tuning::rag, &RagRules::chunks_read>},
    {"rag.max_chunk_bytes", 1, 1e12, true, 1, set_part<&Tuning::rag, &RagRules::most_chunk_bytes>},
    {"rag.request_probability", 0, 1, false, 1, set_part<&Tuning::rag, &RagRules::probability>},
    {"rag.max_documents", 0, 1e6, true, 1, set_part<&Tuning::rag, &RagRules::most_documents>},
    {"rag.large_model_doc_tokens_min", 1, kMostTokens, true, 1, set_part<&Tuning::rag, &RagRules::large_low>},
    {"rag.large_model_doc_tokens_max", 1, kMostTokens, true, 1, set_part<&Tuning::rag, &RagRules::large_high>},
    {"rag.small_model_doc_tokens_min", 1, kMostTokens, true, 1, set_part<&Tuning::rag, &RagRules::small_low>},
    {"rag.small_model_doc_tokens_max", 1, kMostTokens, true, 1, set_part<&Tuning::rag, &RagRules::small_high>},

    {"conversation.max_conversations", 1, kMostCount, true, 1, set_own<&Tuning::most_conversations>},
    {"conversation.max_turns_per_conv", 1, kMostCount, true, 1, set_own<&Tuning::most_turns>},
    {"conversation.end_conversation_probability", 0, 1, false, 1, set_own<&Tuning::end_of_conversation>},

    {"autoscaler.min_users", 1, kMostUsers, true, 1, set_part<&Tuning::scaling, &ScalingRules::fewest>},
    {"autoscaler.max_users", 1, kMostUsers, true, 1, set_part<&Tuning::scaling, &ScalingRules::most>},
    {"autoscaler.scale_up_factor", 1, 100, false, 1, set_part<&Tuning::scaling, &ScalingRules::up>},
    {"autoscaler.scale_down_factor", 0, 1, false, 1, set_part<&Tuning::scaling, &ScalingRules::down>},
    {"autoscaler.consecutive_samples_required", 1, 1000, true, 1,
     set_part<&Tuning::scaling, &ScalingRules::samples_above>},

    {"decode.batch_size", 1, kMostTokens, true, 1, set_own<&Tuning::decode_batch>},

    {"sharegpt.max_context_tokens", 8192},
    {"sharegpt.max_generation_tokens", 2048},
    {"sharegpt.chars_per_token_estimate", 4},

    {"saturation_detection.read_latency_p95_threshold_ms", 0.001, kMostCount, false, 1,
     set_part<&Tuning::scaling, &ScalingRules::read_p95_ms>},
    {"saturation_detection.write_latency_p95_threshold_ms", 50},
    {"saturation_detection.queue_depth_threshold", 100},
    {"saturation_detection.history_window_size", 2, 1000, true, 1, set_part<&Tuning::scaling, &ScalingRules::history>},

    {"validation_limits.max_users", 100'000},
    {"validation_limits.max_duration_seconds", 86'400},
    {"validation_limits.max_gpu_memory_gb", 1024},
    {"validation_limits.max_cpu_memory_gb", 16'384},
});
constexpr std::string_view kDistribution = "rag.retrieval_distribution", kModels = "model_configs";

tl::unexpected<Error> wrong(const std::string& path, std::string what, std::string advice = {}) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("--config: {} {}", path, what), {}, std::move(advice));
}

tl::unexpected<Error> unknown(const std::string& path) {
  std::vector<std::string_view> paths = {kDistribution};
  for (const Key& key : kKeys) paths.push_back(key.path);
  const std::string near = cli::nearest(path, paths);
  return wrong(path, "is no known key", near.empty() ? "" : fmt::format("the nearest is {}", near));
}

class Parser {
 public:
  Status walk(const YAML::Node& node, const std::string& prefix) {
    std::vector<std::string> seen;
    for (const auto& each : node) {
      if (!each.first.IsScalar()) return wrong(prefix, "has a key that is no text");
      const std::string path = prefix.empty() ? each.first.Scalar() : prefix + "." + each.first.Scalar();
      if (std::find(seen.begin(), seen.end(), path) != seen.end()) return wrong(path, "stands twice");
      seen.push_back(path);
      if (Status taken = take(path, each.second); !taken) return taken;
    }
    return {};
  }

  Status finish() const {
    const Tuning& t = file.tuning;
    if (t.classes[0].below > t.classes[1].below) {
      return wrong("qos_distribution.responsive_threshold", "is below interactive_probability");
    }
    if (t.rag.small_low > t.rag.small_high || t.rag.large_low > t.rag.large_high) {
      return wrong("rag", "has a *_doc_tokens_min above its *_doc_tokens_max");
    }
    if (t.scaling.fewest > t.scaling.most) return wrong("autoscaler.min_users", "is above max_users");
    return {};
  }

  ConfigFile file;

 private:
  Status take(const std::string& path, const YAML::Node& value) {
    if (path == kModels) return take_models(value);
    if (value.IsMap()) {
      const bool known =
          std::any_of(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.path.starts_with(path + "."); });
      return known ? walk(value, path) : Status(unknown(path));
    }
    const Tuning before = file.tuning;
    if (Status taken = path == kDistribution ? set_distribution(value) : set(path, value); !taken) return taken;
    if (!(before == file.tuning)) file.changed[path] = text_of(value);
    return {};
  }

  static std::string text_of(const YAML::Node& value) {
    if (value.IsScalar()) return value.Scalar();
    return fmt::format("{} to {}", value[0].Scalar(), value[1].Scalar());
  }

  Status set_distribution(const YAML::Node& value) {
    const std::string word = value.IsScalar() ? value.Scalar() : std::string();
    if (word != "zipfian" && word != "uniform" && word != "random") {
      return wrong(std::string(kDistribution), "is not zipfian, uniform or random");
    }
    file.tuning.rag.zipfian = word == "zipfian";
    return {};
  }

  Status set(const std::string& path, const YAML::Node& value) {
    const auto key = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& each) { return each.path == path; });
    if (key == kKeys.end()) return unknown(path);
    Numbers numbers;
    const auto add = [&](const YAML::Node& node) {
      const auto number = node.IsScalar() ? parse_number<double>(node.Scalar()) : std::nullopt;
      if (number) numbers.push_back(*number);
      return number.has_value();
    };
    bool legal = key->count == 1 ? add(value) : value.IsSequence() && value.size() == key->count;
    if (legal && key->count == 2) legal = add(value[0]) && add(value[1]) && numbers[0] <= numbers[1];
    const double high = key->set == nullptr ? key->low : key->high;
    for (const double each : numbers) {
      legal = legal && each >= key->low && each <= high && (!key->whole || each == std::floor(each));
    }
    if (!legal && key->set == nullptr) {
      return wrong(path, fmt::format("has no effect in this program, so only {} is legal", key->low), "leave it out");
    }
    if (!legal) {
      return wrong(path, fmt::format("is not {} from {} to {}{}", key->whole ? "a whole number" : "a number", key->low,
                                     high, key->count == 2 ? ", twice, the lower one first" : ""));
    }
    if (key->set != nullptr) key->set(file.tuning, numbers);
    return {};
  }

  Status take_models(const YAML::Node& models) {
    if (!models.IsMap()) return wrong(std::string(kModels), "is no mapping");
    for (const auto& each : models) {
      if (!each.first.IsScalar() || !each.second.IsMap()) return wrong(std::string(kModels), "has what is no model");
      if (Status taken = take_model(each.first.Scalar(), each.second); !taken) return taken;
    }
    return {};
  }

  Status take_model(const std::string& key, const YAML::Node& node);
};

/// The whole numbers of a model, by name; absent ones are 0.
constexpr std::array kModelNumbers = {"num_layers",      "hidden_dim",   "num_heads",       "kv_heads",
                                      "kv_dim_per_head", "kv_lora_rank", "qk_rope_head_dim"};

Status Parser::take_model(const std::string& key, const YAML::Node& node) {
  const std::string path = fmt::format("{}.{}", kModels, key);
  std::map<std::string, uint32_t> numbers;
  Model model;
  model.key = model.name = key;
  std::string attention;
  for (const auto& each : node) {
    const std::string name = each.first.IsScalar() ? each.first.Scalar() : std::string();
    const std::string text = each.second.IsScalar() ? each.second.Scalar() : std::string();
    if (name == "name") {
      model.name = text;
    } else if (name == "attention_type") {
      attention = lower(text);
      if (attention != "mha" && attention != "gqa" && attention != "mla") {
        return wrong(path + "." + name, "is not mha, gqa or mla");
      }
    } else if (name == "dtype") {
      const std::map<std::string, uint32_t> types = {{"float32", 4}, {"float16", 2}, {"bfloat16", 2}, {"int8", 1}};
      const auto type = types.find(text);
      if (type == types.end()) return wrong(path + "." + name, "is not float32, float16, bfloat16 or int8");
      model.element_bytes = type->second;
    } else if (std::find(kModelNumbers.begin(), kModelNumbers.end(), name) != kModelNumbers.end()) {
      const auto value = parse_number<uint32_t>(text);
      if (!value || *value > 1'000'000) return wrong(path + "." + name, "is no whole number from 0 to 1000000");
      numbers[name] = *value;
    } else {
      return wrong(path + "." + name, "is no known key",
                   fmt::format("known are name, attention_type, dtype, {}", fmt::join(kModelNumbers, ", ")));
    }
  }
  model.layers = numbers["num_layers"];
  model.kv_heads = numbers["kv_heads"];
  const uint32_t heads = numbers["num_heads"];
  const uint32_t width = numbers["kv_dim_per_head"] != 0 ? numbers["kv_dim_per_head"]
                         : heads != 0                    ? numbers["hidden_dim"] / heads
                                                         : 0;
  model.key_width = model.value_width = width;
  if (attention == "mla" || (attention.empty() && numbers["kv_lora_rank"] != 0)) {
    model.latent = numbers["kv_lora_rank"];
    model.rope = numbers["qk_rope_head_dim"];
  }
  if (model.bytes_per_token() == 0 || model.bytes_per_token() > uint64_t{1} << 32) {
    return wrong(path, "gives no size of a token", "it needs num_layers, and kv_heads with hidden_dim and num_heads");
  }
  file.models.push_back(model);
  const Model* const shipped = find_model(key);
  const bool same = shipped != nullptr && shipped->bytes_per_token() == model.bytes_per_token();
  if (!same) file.changed[path] = fmt::format("{} bytes per token", model.bytes_per_token());
  return {};
}

}  // namespace

Result<ConfigFile> parse_config_file(const std::string& text) {
  Parser parser;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap() && !root.IsNull()) return fail(ErrorCode::kConfigParse, "--config: not a mapping");
    if (Status walked = parser.walk(root, ""); !walked) return fail(walked.error());
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::kConfigParse, fmt::format("--config, line {}: {}", exception.mark.line + 1, exception.msg));
  }
  if (Status whole = parser.finish(); !whole) return fail(whole.error());
  return std::move(parser.file);
}

}  // namespace mlps::kvcache
