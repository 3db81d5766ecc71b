#include <gtest/gtest.h>

#include <array>

#include "benchmarks/vectordb/dataset.hpp"
#include "benchmarks/vectordb/servers/elastic_texts.hpp"
#include "benchmarks/vectordb/servers/grpc_channel.hpp"
#include "benchmarks/vectordb/servers/milvus_answers.hpp"
#include "benchmarks/vectordb/servers/pg_connection.hpp"
#include "benchmarks/vectordb/servers/protobuf.hpp"

namespace mlps::vectordb {
namespace {

ProtoWriter pair_of(std::string_view key, std::string_view value) {
  ProtoWriter pair;
  pair.text(1, key).text(2, value);
  return pair;
}

TEST(Protobuf, NumbersTextsAndPackedFieldsComeBack) {
  ProtoWriter inner, message;
  inner.numbers(1, std::array<int64_t, 3>{1, 300, -1});
  message.number(1, 150).text(2, "testing").message(3, inner).number(4, 0);
  EXPECT_EQ(message.taken().substr(0, 3), "\x08\x96\x01") << "the example of the format's documentation";
  EXPECT_EQ(proto_number(message.taken(), 1), 150u);
  EXPECT_EQ(proto_field(message.taken(), 2), "testing");
  std::vector<uint64_t> numbers;
  for (ProtoReader reader(proto_field(message.taken(), 3)); reader.next();) reader.numbers(numbers);
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 300, UINT64_MAX}));
  ProtoReader cut(std::string_view(message.taken()).substr(0, 6));
  while (cut.next()) {
  }
  EXPECT_FALSE(cut.good());
}

TEST(Grpc, AMessageIsItsLengthAndItsBytes) {
  const std::string whole("\0\0\0\0\3abc", 8);
  EXPECT_EQ(*grpc_message(whole), "abc");
  EXPECT_EQ(grpc_message(whole.substr(0, 7)).error().code, ErrorCode::kStorageProtocol);
  EXPECT_EQ(grpc_message("\1").error().code, ErrorCode::kStorageProtocol);
  EXPECT_NE(grpc_message(std::string("\1\0\0\0\0", 5)).error().message.find("compressed"), std::string::npos);
}

TEST(MilvusAnswers, ARefusalIsAnErrorWithTheServersWords) {
  ProtoWriter status;
  EXPECT_TRUE(milvus_status("Flush", ""));
  status.number(1, 4).text(2, "can't find collection").number(3, 100);
  const Status failed = milvus_status("Flush", status.taken());
  EXPECT_EQ(failed.error().code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(failed.error().message, "Milvus: Flush: can't find collection");
  ProtoWriter limited;
  limited.number(3, 8).text(2, "slow down");
  EXPECT_EQ(milvus_status("Flush", limited.taken()).error().code, ErrorCode::kStorageThrottled);
}

TEST(MilvusAnswers, TheStateOfAnIndexIsRead) {
  ProtoWriter index, answer;
  index.message(3, pair_of("index_type", "HNSW"))
      .message(3, pair_of("params", R"({"M": 16, "efConstruction": "200"})"));
  index.number(5, 60).number(6, 100).number(7, 2).number(9, 40);
  answer.message(2, index);
  const auto read = read_milvus_index(answer.taken());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->indexed, 60u);
  EXPECT_EQ(read->pending, 40u);
  EXPECT_EQ(read->value("index_type"), "HNSW");
  EXPECT_EQ(read->value("M"), "16");
  EXPECT_EQ(read->value("efConstruction"), "200");
  EXPECT_EQ(read_milvus_index("").error().code, ErrorCode::kStorageNotFound);
}

TEST(MilvusAnswers, HitsAreCutByTheirCounts) {
  ProtoWriter list, ids, results;
  list.numbers(1, std::array<int64_t, 3>{7, 9, 4});
  ids.message(1, list);
  results.number(1, 2).floats(4, std::array<float, 3>{0.9F, 0.8F, 0.7F}).message(5, ids);
  ProtoWriter wrong = results;
  results.numbers(6, std::array<int64_t, 2>{2, 1});
  SearchAnswers answers;
  answers.reset(2, 10);
  ASSERT_TRUE(read_milvus_hits(results.taken(), Metric::kCosine, answers));
  ASSERT_EQ(answers.of(0).size(), 2u);
  EXPECT_EQ(answers.of(0)[1].key, 9u);
  EXPECT_EQ(answers.of(1)[0].key, 4u);
  EXPECT_FLOAT_EQ(answers.of(1)[0].score, 0.7F);
  ASSERT_TRUE(read_milvus_hits(results.taken(), Metric::kL2, answers));
  EXPECT_FLOAT_EQ(answers.of(1)[0].score, -0.7F) << "higher is nearer";
  wrong.numbers(6, std::array<int64_t, 2>{2, 5});
  EXPECT_EQ(read_milvus_hits(wrong.taken(), Metric::kCosine, answers).error().code, ErrorCode::kStorageProtocol);
  answers.reset(3, 10);
  EXPECT_FALSE(read_milvus_hits(results.taken(), Metric::kCosine, answers));
}

TEST(PgBytes, VectorsGoOutWithTheHighestByteFirst) {
  PgBytes bytes;
  bytes.vector(std::array{1.0F, -2.0F});
  EXPECT_EQ(bytes.bytes(), std::string("\0\2\0\0\x3f\x80\0\0\xc0\0\0\0", 12));
}

// Written by hand after the shape that Elasticsearch 8 documents; no server was asked.
TEST(ElasticAnswers, HitsAndRefusalsOfElasticsearchAreRead) {
  constexpr const char* kOne =
      R"({"timed_out":false,"_shards":{"failed":0},"hits":{"hits":[{"_id":"17","_score":0.95},{"_id":"3","_score":0.5}]}})";
  SearchAnswers answers;
  answers.reset(1, 10);
  ASSERT_TRUE(read_hits(kOne, false, ElasticKind::kElasticsearch, Metric::kCosine, answers));
  ASSERT_EQ(answers.of(0).size(), 2u);
  EXPECT_EQ(answers.of(0)[0].key, 17u);
  EXPECT_FLOAT_EQ(answers.of(0)[0].score, 0.9F);
  ASSERT_TRUE(read_hits(kOne, false, ElasticKind::kElasticsearch, Metric::kL2, answers));
  EXPECT_FLOAT_EQ(answers.of(0)[1].score, -1);
  const Error refused =
      elastic_error("POST /c/_search", 400,
                    R"({"error":{"type":"x_content_parse_exception","reason":"[k] must be at least 1"},"status":400})");
  EXPECT_EQ(refused.message, "POST /c/_search: x_content_parse_exception: [k] must be at least 1");
  EXPECT_EQ(elastic_error("x", 403, "").code, ErrorCode::kStorageDenied);
}

TEST(ElasticAnswers, WhatIsNoWholeAnswerIsAnError) {
  SearchAnswers answers;
  answers.reset(1, 1);
  const auto code = [&](const char* text, bool many = false) {
    const Status read = read_hits(text, many, ElasticKind::kOpensearch, Metric::kCosine, answers);
    return read ? ErrorCode::kInternal : read.error().code;
  };
  EXPECT_EQ(code("<html>"), ErrorCode::kStorageProtocol);
  EXPECT_EQ(code(R"({"timed_out":true})"), ErrorCode::kTimeout);
  EXPECT_EQ(code(R"({"_shards":{"failed":1},"hits":{"hits":[]}})"), ErrorCode::kCommandFailed);
  EXPECT_EQ(code(R"({"hits":{"hits":[{"_id":"a","_score":1}]}})"), ErrorCode::kStorageProtocol);
  EXPECT_EQ(code(R"({"hits":{"hits":[{"_id":"1","_score":1},{"_id":"2","_score":1}]}})"), ErrorCode::kStorageProtocol);
  EXPECT_EQ(code(R"({"responses":[]})", true), ErrorCode::kStorageProtocol);
  EXPECT_EQ(code(R"({"responses":[{"error":{"reason":"gone"}}]})", true), ErrorCode::kCommandFailed);
}

TEST(ElasticAnswers, ARowThatWasRefusedIsNamed) {
  EXPECT_TRUE(read_bulk(R"({"errors":false,"items":[{"index":{"status":201}},{"index":{"status":201}}]})", 2));
  const Status refused = read_bulk(
      R"({"errors":true,"items":[{"index":{"status":400,"error":{"type":"parsing","reason":"dims differ"}}}]})", 1);
  EXPECT_EQ(refused.error().message, "a row was refused: parsing: dims differ");
  EXPECT_EQ(read_bulk(R"({"errors":false,"items":[]})", 2).error().code, ErrorCode::kDataMismatch);
  EXPECT_EQ(read_bulk("{}", 0).error().code, ErrorCode::kStorageProtocol);
}

TEST(ElasticTexts, FullPrecisionIsAskedForAndReadBack) {
  CollectionSpec spec;
  spec.dimension = 3;
  spec.index = IndexKind::kHnsw;
  spec.m = 24;
  spec.ef_construction = 100;
  const auto body = elastic_index_body(ElasticKind::kElasticsearch, spec, "", "text");
  ASSERT_TRUE(body);
  EXPECT_NE(body->find(R"("index_options":{"ef_construction":100,"m":24,"type":"hnsw"})"), std::string::npos) << *body;
  const auto open = elastic_index_body(ElasticKind::kOpensearch, spec, "lucene", "text");
  EXPECT_NE(open->find(R"("engine":"lucene")"), std::string::npos) << *open;
  spec.index = IndexKind::kDiskAnn;
  EXPECT_NE(elastic_index_body(ElasticKind::kOpensearch, spec, "", "").error().message.find("DISKANN"),
            std::string::npos);
  const auto mapping = read_mapping(ElasticKind::kElasticsearch,
                                    R"({"c":{"mappings":{"_meta":{"mlpstorage":"d"},"properties":{"vector":{"type":
      "dense_vector","dims":3,"similarity":"l2_norm","index_options":{"type":"hnsw","m":24}}}}}})",
                                    "c");
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->description, "d");
  EXPECT_EQ(mapping->dimension, 3u);
  EXPECT_EQ(mapping->metric, Metric::kL2);
  EXPECT_EQ(mapping->index, IndexKind::kHnsw);
  EXPECT_FALSE(read_mapping(ElasticKind::kElasticsearch, R"({"other":{}})", "c"));
}

TEST(ElasticTexts, SearchesSayTheirEffort) {
  const SearchParams params{.k = 10, .effort = 50};
  const std::array query = {0.5F, -1.0F};
  EXPECT_EQ(
      elastic_search_body(ElasticKind::kElasticsearch, IndexKind::kHnsw, query, params),
      R"({"size":10,"_source":false,"knn":{"field":"vector","k":10,"num_candidates":50,"query_vector":[0.5,-1]}})");
  EXPECT_EQ(elastic_search_body(ElasticKind::kOpensearch, IndexKind::kHnsw, query, params),
            R"({"size":10,"_source":false,"query":{"knn":{"vector":{"k":10,"method_parameters":{"ef_search":50},)"
            R"("vector":[0.5,-1]}}}})");
}

TEST(Dataset, ComesBackFromItsTextAndRefusesOthers) {
  SourceSpec source;
  source.distribution = Distribution::kClustered;
  source.seed = 7;
  source.rows = 1000;
  source.dimension = 16;
  source = fitted(source);
  EXPECT_LE(source.clustered.ambient, 16u);
  const auto back = parse_dataset(dataset_text(source), "c");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seed, 7u);
  EXPECT_EQ(back->rows, 1000u);
  EXPECT_EQ(back->clustered.ambient, source.clustered.ambient);
  EXPECT_FLOAT_EQ(back->clustered.noise, source.clustered.noise);
  for (const char* text :
       {"", "[]", "{}", R"({"schema":"mlpstorage.vectordb-dataset/1","distribution":"uniform"})",
        R"({"schema":"mlpstorage.vectordb-dataset/1","distribution":"uniform","rows":1,"dimension":99999})"}) {
    const auto refused = parse_dataset(text, "c");
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kDataMismatch);
  }
}

}  // namespace
}  // namespace mlps::vectordb
