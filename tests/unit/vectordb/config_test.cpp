#include <gtest/gtest.h>

#include <algorithm>

#include "benchmarks/vectordb/command/config_file.hpp"
#include "benchmarks/vectordb/command/parse.hpp"
#include "benchmarks/vectordb/queries.hpp"
#include "cli/registry.hpp"

namespace mlps::cli {
namespace {

CommandLine line_of(const std::vector<std::string>& words) {
  std::vector<std::string> all = words;
  const Resolution resolution = registry().grammar().resolve(all);
  return read_line(resolution, std::span<const std::string>(all).subspan(resolution.rest), Environment(), "");
}

ParsedVectorDb parsed(std::vector<std::string> words) {
  words.insert(words.end(), {"--results-dir", "r", "--systemname", "s"});
  return parse_vectordb(line_of(words));
}

bool complains(const ParsedVectorDb& parsed, const std::string& text) {
  for (const Error& error : parsed.errors) {
    if (error.message.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(VectorConfig, ClosedBuildsWhatTheShippedFileSays) {
  const auto run = parsed({"closed", "vectordb", "datagen"});
  ASSERT_TRUE(run.errors.empty()) << run.errors.front().message;
  const vectordb::Settings& settings = run.options.settings;
  EXPECT_EQ(settings.engine, vectordb::EngineKind::kMilvus);
  EXPECT_EQ(settings.collection.name, "mlps_1m_1shards_1536dim_uniform");
  EXPECT_EQ(settings.collection.max_degree, 64u);
  EXPECT_EQ(settings.collection.search_list_size, 200u);
  EXPECT_TRUE(settings.load.compact);
  EXPECT_EQ(settings.load.batch, 1000u);
  EXPECT_EQ(settings.source.rows, 1'000'000u);
  EXPECT_EQ(run.options.model, "milvus_DISKANN");
}

TEST(VectorConfig, TenMillionVectorsAreTenMillion) {
  const auto load = parsed({"closed", "vectordb", "datagen", "--config", "10m"});
  EXPECT_EQ(load.options.settings.source.rows, 10'000'000u);
  EXPECT_EQ(load.options.settings.collection.shards, 10u);
}

TEST(VectorConfig, WhatifHasTheEmbeddedEngineUnlessSaid) {
  const auto load = parsed({"whatif", "vectordb", "datagen", "--storage-root", "/x"});
  EXPECT_EQ(load.options.settings.engine, vectordb::EngineKind::kEmbedded);
  EXPECT_TRUE(complains(parsed({"whatif", "vectordb", "datagen"}), "--storage-root is required"));
  EXPECT_TRUE(complains(parsed({"closed", "vectordb", "datagen", "--vdb-engine", "pgvector"}), "in closed"));
}

TEST(VectorConfig, WhatASearchReadsStaysInThePageCache) {
  const auto fadvise = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--storage-root", "/x"});
    const auto command = parsed(std::move(words));
    return command.errors.empty() ? std::string(storage::fadvise_name(command.options.fadvise))
                                  : command.errors.front().message;
  };
  EXPECT_EQ(fadvise({"whatif", "vectordb", "run", "file"}), "none");
  EXPECT_EQ(fadvise({"whatif", "vectordb", "run", "file", "--fadvise", "dontneed"}), "dontneed");
  EXPECT_EQ(fadvise({"whatif", "vectordb", "datagen", "file"}), "dontneed");
  EXPECT_EQ(fadvise({"whatif", "vectordb", "run", "file", "--cache-state", "warm", "--fadvise", "dontneed"}),
            "--cache-state warm with --fadvise dontneed");
}

TEST(VectorConfig, FlagsThatContradictAreRefused) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"open", "vectordb", "datagen", "--vdb-index", "HNSW", "--index-type", "DISKANN"}, "differ"},
      {{"closed", "vectordb", "run", "--vdb-index", "FLAT"}, "in closed"},
      {{"open", "vectordb", "run", "--runtime", "5", "--queries", "7"}, "--runtime with --queries"},
      {{"open", "vectordb", "run", "--benchmark-mode", "query_count"}, "without --queries"},
      {{"open", "vectordb", "run", "--recall-k", "20"}, "--recall-k 20 with --search-limit 10"},
      {{"open", "vectordb", "run", "--recall-targets", "0.9,2"}, "--recall-targets"},
      {{"open", "vectordb", "run", "--cache-memory", "1MiB"}, "--cache-memory with --vdb-engine milvus"},
      {{"open", "vectordb", "run", "--host", "user@h"}, "--host"},
      {{"open", "vectordb", "run", "--verify"}, "--verify"}};
  for (const auto& [words, text] : cases) EXPECT_TRUE(complains(parsed(words), text)) << text;
}

TEST(VectorConfig, EitherIndexFlagNamesTheIndex) {
  EXPECT_EQ(parsed({"open", "vectordb", "datagen", "--index-type", "HNSW"}).options.settings.collection.index,
            vectordb::IndexKind::kHnsw);
  EXPECT_EQ(parsed({"open", "vectordb", "run", "--vdb-index", "AISAQ"}).options.model, "milvus_AISAQ");
}

TEST(VectorConfig, AUrlIsHostAndPort) {
  const auto run = parsed({"open", "vectordb", "run", "--vdb-engine", "elasticsearch", "--host", "https://es:9243/"});
  EXPECT_EQ(run.options.settings.server.host, "es");
  EXPECT_EQ(run.options.settings.server.port, 9243);
  EXPECT_TRUE(run.options.settings.server.tls);
}

TEST(VectorConfig, AFileFillsWhatNoFlagSays) {
  CommandLine line = line_of({"open", "vectordb", "datagen", "--dimension", "64"});
  apply_vectordb_text(R"(
database: {host: db, port: 1953, database: milvus, max_receive_message_length: 5}
dataset: {collection_name: c, num_vectors: 1_000, dimension: 1536, batch_size: 10}
index: {index_type: HNSW, index_params: {M: 64, efConstruction: 200}}
benchmark: {batch_size: 3, runtime: 60}
)",
                      "x.yaml", line);
  EXPECT_TRUE(line.errors.empty()) << line.errors.front().message;
  const auto value = [&](const char* flag) { return line.tokens.settings.at(flag).values.front(); };
  EXPECT_EQ(value("num-vectors"), "1000");
  EXPECT_EQ(value("dimension"), "64") << "the flag wins";
  EXPECT_EQ(value("batch-size"), "10") << "vectors of an insert, not queries of a search";
  EXPECT_EQ(value("ef-construction"), "200");
  EXPECT_EQ(value("vdb-index"), "HNSW");
  EXPECT_EQ(value("port"), "1953");
}

TEST(VectorConfig, UnknownAndDoubleKeysAreErrors) {
  for (const char* text : {"dataset: {colection_name: c}", "dataset: {dimension: 1, x: {dimension: 2}}", "[", "- a",
                           "a: {b: {c: {d: {e: {f: 1}}}}}"}) {
    CommandLine line = line_of({"open", "vectordb", "datagen"});
    apply_vectordb_text(text, "x.yaml", line);
    ASSERT_FALSE(line.errors.empty()) << text;
    EXPECT_EQ(line.errors.front().code, ErrorCode::kConfigParse) << text;
  }
}

TEST(VectorConfig, OldFlagsAreAcceptedWithAWarning) {
  const auto run = parsed({"open", "vectordb", "run", "--distributed", "--mpi-impl", "mpich", "--coordination", "mpi",
                           "--rank-output-dir", "/tmp/x", "--report-count", "5"});
  EXPECT_TRUE(run.errors.empty());
  for (const char* flag : {"--distributed", "--mpi-impl", "--coordination", "--rank-output-dir", "--report-count"}) {
    bool warned = false;
    for (const std::string& warning : run.warnings) warned |= warning.starts_with(std::string(flag) + " has no effect");
    EXPECT_TRUE(warned) << flag;
  }
}

TEST(VectorQueries, EachWorkerHasAnOrderOfItsOwn) {
  const auto order = [](uint32_t rank, bool lockstep) { return vectordb::query_order(100, 42, rank, lockstep); };
  EXPECT_EQ(order(3, false), order(3, false));
  EXPECT_NE(order(3, false), order(4, false));
  EXPECT_EQ(order(3, true), order(4, true));
  std::vector<uint32_t> sorted = order(3, false);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, order(0, true));
}

TEST(VectorConfig, QueriesEndARunWhateverTheFileSaysOfTime) {
  const auto run = parsed({"open", "vectordb", "run", "--queries", "100"});
  EXPECT_TRUE(run.errors.empty()) << run.errors.front().message;
  EXPECT_EQ(run.options.settings.search.mode, vectordb::SearchMode::kQueryCount);
}

}  // namespace
}  // namespace mlps::cli
