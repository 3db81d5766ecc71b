#include "benchmarks/kvcache/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::kvcache {
namespace {

using ::testing::HasSubstr;

// The file that mlpstorage 3.0 ships, key by key.
constexpr const char* kShipped = R"(
user_templates:
  chatbot: {context_range: [512, 4096], generation_range: [50, 200], think_time_range: [0.1, 0.5]}
  coding: {context_range: [4096, 25000], generation_range: [100, 500], think_time_range: [0.2, 1.0]}
  document: {context_range: [4096, 16384], generation_range: [200, 800], think_time_range: [0.3, 1.5]}
generation_timing: {none: 0.0, fast: 0.002, realistic: 0.030}
qos_profiles:
  interactive: {target_latency_p95_ms: 50, target_latency_p99_ms: 100, target_latency_p999_ms: 150, target_latency_p9999_ms: 200, priority: 3}
  responsive: {target_latency_p95_ms: 100, target_latency_p99_ms: 200, target_latency_p999_ms: 350, target_latency_p9999_ms: 500, priority: 2}
  batch: {target_latency_p95_ms: 1000, target_latency_p99_ms: 5000, target_latency_p999_ms: 7500, target_latency_p9999_ms: 10000, priority: 1}
qos_distribution: {interactive_probability: 0.15, responsive_threshold: 0.50}
eviction: {max_recursion_depth: 10, target_usage_ratio: 0.8, large_entry_limit_ratio: 0.95, max_evictions_hard_cap: 5000, max_evictions_min: 1000}
gpu_backend: {memory_fraction: 0.9, max_eviction_attempts: 100, free_memory_threshold: 0.1}
prefix_cache: {min_prefix_length: 50, max_prefix_entries: 1000, system_prompt_hit_probability: 0.2}
rag:
  chunk_size_tokens: 512
  top_k_chunks: 5
  max_chunk_bytes: 268435456
  request_probability: 0.1
  retrieval_distribution: zipfian
  max_documents: 0
  large_model_doc_tokens_min: 1024
  large_model_doc_tokens_max: 4096
  small_model_doc_tokens_min: 4000
  small_model_doc_tokens_max: 12000
conversation: {max_conversations: 1000, max_turns_per_conv: 50, end_conversation_probability: 0.2}
autoscaler: {min_users: 1, max_users: 10000, scale_up_factor: 1.2, scale_down_factor: 0.8, consecutive_samples_required: 2}
decode: {batch_size: 32}
sharegpt: {max_context_tokens: 8192, max_generation_tokens: 2048, chars_per_token_estimate: 4}
saturation_detection: {read_latency_p95_threshold_ms: 100, write_latency_p95_threshold_ms: 50, queue_depth_threshold: 100, history_window_size: 10}
validation_limits: {max_users: 100000, max_duration_seconds: 86400, max_gpu_memory_gb: 1024, max_cpu_memory_gb: 16384}
model_configs:
  llama3.1-8b: {name: Llama 3.1 8B, num_layers: 32, hidden_dim: 4096, num_heads: 32, kv_heads: 8, dtype: float16}
  deepseek-v3: {name: Deepseek v3, num_layers: 61, hidden_dim: 7168, num_heads: 128, kv_heads: 128, attention_type: mla, kv_lora_rank: 512, qk_rope_head_dim: 64, dtype: float16}
)";

std::string refused(const std::string& text) {
  const auto config = parse_config_file(text);
  return config ? "accepted" : config.error().message + " " + config.error().suggestion;
}

TEST(ConfigFile, TheShippedOneChangesNothing) {
  const auto config = parse_config_file(kShipped);
  ASSERT_TRUE(config) << render(config.error());
  EXPECT_TRUE(config->tuning == Tuning());
  EXPECT_TRUE(config->changed.empty()) << config->changed.begin()->first;
  ASSERT_EQ(config->models.size(), 2u);
  EXPECT_EQ(config->models[0].bytes_per_token(), 131'072u);
  EXPECT_EQ(config->models[1].bytes_per_token(), 70'272u);
  EXPECT_TRUE(parse_config_file("")->changed.empty());
}

TEST(ConfigFile, WhatItChangesIsInTheTuningAndNamed) {
  const auto config = parse_config_file(
      "user_templates: {coding: {context_range: [10, 20], think_time_range: [0.5, 0.5]}}\n"
      "generation_timing: {realistic: 0.5}\nqos_profiles: {batch: {target_latency_p95_ms: 2000}}\n"
      "eviction: {target_usage_ratio: 0.5}\nrag: {retrieval_distribution: uniform, top_k_chunks: 5}\n"
      "conversation: {max_turns_per_conv: 3}\ndecode: {batch_size: 16}\n"
      "model_configs: {mine: {num_layers: 2, hidden_dim: 64, num_heads: 4, kv_heads: 2, dtype: int8}}\n");
  ASSERT_TRUE(config) << render(config.error());
  const Tuning& tuning = config->tuning;
  EXPECT_EQ(tuning.personas[1].context_high, 20u);
  EXPECT_EQ(tuning.personas[1].think_low_s, 0.5);
  EXPECT_EQ(tuning.token_ns[2], 500'000'000);
  EXPECT_EQ(tuning.classes[2].target_p95_ms, 2000);
  EXPECT_EQ(tuning.eviction.target_share, 0.5);
  EXPECT_FALSE(tuning.rag.zipfian);
  EXPECT_EQ(tuning.most_turns, 3u);
  EXPECT_EQ(tuning.decode_batch, 16u);
  EXPECT_EQ(config->changed.size(), 9u);
  EXPECT_EQ(config->changed.at("user_templates.coding.context_range"), "10 to 20");
  EXPECT_FALSE(config->changed.contains("rag.top_k_chunks")) << "as shipped";
  ASSERT_EQ(config->models.size(), 1u);
  EXPECT_EQ(config->models[0].bytes_per_token(), 2u * 2 * 16 * 2);
}

TEST(ConfigFile, UnknownKeysAndWrongValuesAreRefusedByName) {
  EXPECT_THAT(refused("evictoin: {target_usage_ratio: 0.5}"), HasSubstr("evictoin"));
  EXPECT_THAT(refused("eviction: {target_usage_ration: 0.5}"), HasSubstr("the nearest is eviction.target_usage_ratio"));
  EXPECT_THAT(refused("eviction: {target_usage_ratio: 1.5}"), HasSubstr("is not a number from 0.01 to 1"));
  EXPECT_THAT(refused("eviction: {max_evictions_min: 1.5}"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refused("eviction: {target_usage_ratio: yes}"), HasSubstr("is not a number"));
  EXPECT_THAT(refused("eviction: {target_usage_ratio: [0.5, 0.6]}"), HasSubstr("is not a number"));
  EXPECT_THAT(refused("eviction: 7"), HasSubstr("eviction is no known key"));
  EXPECT_THAT(refused("user_templates: {chatbot: {context_range: [20, 10]}}"), HasSubstr("the lower one first"));
  EXPECT_THAT(refused("user_templates: {chatbot: {context_range: [20]}}"), HasSubstr("twice"));
  EXPECT_THAT(refused("prefix_cache: {min_prefix_length: 60}"), HasSubstr("has no effect in this program, so only 50"));
  EXPECT_THAT(refused("qos_distribution: {interactive_probability: 0.6}"), HasSubstr("is below"));
  EXPECT_THAT(refused("decode: {batch_size: 1}\ndecode: {batch_size: 2}"), HasSubstr("stands twice"));
  EXPECT_THAT(refused("rag: {retrieval_distribution: normal}"), HasSubstr("zipfian, uniform or random"));
  EXPECT_THAT(refused("model_configs: {mine: {num_layers: 2}}"), HasSubstr("gives no size of a token"));
  EXPECT_THAT(refused("model_configs: {mine: {layers: 2}}"), HasSubstr("is no known key"));
  EXPECT_THAT(refused("- 1"), HasSubstr("not a mapping"));
  EXPECT_THAT(refused("a: [1\nb"), HasSubstr("line"));
}

}  // namespace
}  // namespace mlps::kvcache
