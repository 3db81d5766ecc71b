#include "benchmarks/kvcache/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::kvcache {
namespace {

using ::testing::HasSubstr;

uint64_t bytes_of(const char* key) {
  const Model* model = find_model(key);
  return model == nullptr ? 0 : model->bytes_per_token();
}

TEST(Model, BytesPerTokenOfAllNine) {
  EXPECT_EQ(known_models().size(), 9u);
  EXPECT_EQ(bytes_of("tiny-1b"), 24'576u);
  EXPECT_EQ(bytes_of("mistral-7b"), 131'072u);
  EXPECT_EQ(bytes_of("llama2-7b"), 524'288u);
  EXPECT_EQ(bytes_of("llama3.1-8b"), 131'072u);
  EXPECT_EQ(bytes_of("llama3.1-70b-instruct"), 327'680u);
  EXPECT_EQ(bytes_of("deepseek-v3"), 70'272u);
  EXPECT_EQ(bytes_of("qwen3-32b"), 262'144u);
  EXPECT_EQ(bytes_of("gpt-oss-120b"), 73'728u);
  EXPECT_EQ(bytes_of("gpt-oss-20b"), 49'152u);
  EXPECT_EQ(find_model("gpt-4"), nullptr);
}

TEST(Model, EntriesHaveTheWorkedSizes) {
  const Model& llama = *find_model("llama3.1-8b");
  EXPECT_EQ(llama.entry_bytes(8192), uint64_t{1} << 30);
  EXPECT_EQ(llama.entry_bytes(128), uint64_t{16} << 20);
  EXPECT_EQ(find_model("llama3.1-70b-instruct")->entry_bytes(8192), uint64_t{5} << 29);
}

TEST(Model, TensorParallelDividesAnEntryOnce) {
  const Model& llama = *find_model("llama3.1-8b");
  EXPECT_EQ(llama.entry_bytes(1000, 8) * 8, llama.entry_bytes(1000));
  const Model& deepseek = *find_model("deepseek-v3");  // 35,136 elements a token: 7 of them don't divide by 5
  EXPECT_EQ(deepseek.entry_bytes(1, 5), 35'136u / 5 * 2);
}

TEST(ModelConfig, GroupedQueryWithAHeadWidthOfItsOwn) {
  const auto model = parse_model_config(
      R"({"num_hidden_layers": 36, "hidden_size": 2560, "num_attention_heads": 32, "num_key_value_heads": 8,
          "head_dim": 128, "torch_dtype": "bfloat16"})",
      "Qwen3-4B");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->bytes_per_token(), 36u * 8 * 128 * 2 * 2);  // not by 2560 / 32 = 80
}

TEST(ModelConfig, HeadsAndWidthByDefault) {
  const auto model = parse_model_config(
      R"({"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "torch_dtype": "float16"})", "x");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->bytes_per_token(), 524'288u);
}

TEST(ModelConfig, LatentAttention) {
  const auto model = parse_model_config(
      R"({"num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128, "kv_lora_rank": 512,
          "qk_rope_head_dim": 64, "v_head_dim": 128, "torch_dtype": "bfloat16"})",
      "x");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->bytes_per_token(), 70'272u);
}

TEST(ModelConfig, ValuesOfAnotherWidthThanKeys) {
  const auto model = parse_model_config(
      R"({"num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 192,
          "v_head_dim": 128, "torch_dtype": "float32"})",
      "x");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->bytes_per_token(), 2u * 4 * (192 + 128) * 4);
}

TEST(ModelConfig, SlidingLayersKeepTheirWindow) {
  const auto model = parse_model_config(
      R"({"text_config": {"num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 64,
          "sliding_window": 100, "torch_dtype": "float8_e4m3fn",
          "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]}})",
      "x");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->entry_bytes(50), 50u * 4 * 128);
  EXPECT_EQ(model->entry_bytes(1000), (1000u + 3 * 100) * 128);
}

TEST(ModelConfig, RefusesWhatItCantCountBy) {
  const auto refused = [](const char* text) {
    const auto model = parse_model_config(text, "config.json");
    return model ? std::string() : model.error().message;
  };
  EXPECT_THAT(refused("["), HasSubstr("no JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("num_hidden_layers is missing"));
  EXPECT_THAT(refused(R"({"num_hidden_layers": -1})"), HasSubstr("num_hidden_layers is not a number"));
  EXPECT_THAT(refused(R"({"num_hidden_layers": 1, "num_attention_heads": 0})"), HasSubstr("num_attention_heads is 0"));
  EXPECT_THAT(refused(R"({"num_hidden_layers": 1, "num_attention_heads": 1, "hidden_size": 8, "torch_dtype": "int3"})"),
              HasSubstr("torch_dtype"));
  EXPECT_THAT(refused(R"({"num_hidden_layers": 99999999999, "num_attention_heads": 1, "hidden_size": 8})"),
              HasSubstr("num_hidden_layers"));
}

}  // namespace
}  // namespace mlps::kvcache
