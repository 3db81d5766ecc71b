// What a vectordb command reads of servers and files: answers of Milvus, Elasticsearch and OpenSearch, and descriptions
// of vectors.
#include <string>

#include "benchmarks/vectordb/dataset.hpp"
#include "benchmarks/vectordb/servers/elastic_texts.hpp"
#include "benchmarks/vectordb/servers/grpc_channel.hpp"
#include "benchmarks/vectordb/servers/milvus_answers.hpp"
#include "fuzz.hpp"

namespace {

using namespace mlps;
using namespace mlps::vectordb;

void read_answers(std::string_view text) {
  SearchAnswers answers;
  answers.reset(2, 3);
  if (read_milvus_hits(text, Metric::kCosine, answers)) {
    fuzz::require(answers.counts[0] <= 3 && answers.counts[1] <= 3, "no more hits than were asked for");
  }
  (void)milvus_status("Search", text);
  (void)read_milvus_collection(text, "vector", "p");
  (void)read_milvus_index(text);
  (void)read_milvus_flush(text, "c");
  (void)read_milvus_rows(text);
  for (const ElasticKind kind : {ElasticKind::kElasticsearch, ElasticKind::kOpensearch}) {
    answers.reset(1, 3);
    if (read_hits(text, false, kind, Metric::kL2, answers)) {
      fuzz::require(answers.counts[0] <= 3, "no more hits than were asked for");
    }
    (void)read_mapping(kind, text, "c");
  }
  (void)read_bulk(text, 1);
  (void)elastic_error("x", 400, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto message = grpc_message(text)) read_answers(*message);
  read_answers(text);
  if (const auto source = parse_dataset(text, "c")) {
    fuzz::require(source->rows > 0 && source->dimension > 0, "a description names rows and dimension");
  }
  return 0;
}
