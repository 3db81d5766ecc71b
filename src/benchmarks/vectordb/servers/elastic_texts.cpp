#include "benchmarks/vectordb/servers/elastic_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::vectordb {
namespace {

using nlohmann::json;

constexpr const char* kField = "vector";

json parsed(std::string_view text) {
  return json::parse(text, nullptr, false);
}

const json* at(const json& node, std::string_view key) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(std::string(key));
  return found == node.end() ? nullptr : &*found;
}
const json* at(const json& node, std::initializer_list<std::string_view> path) {
  const json* found = &node;
  for (const std::string_view key : path) {
    if (found != nullptr) found = at(*found, key);
  }
  return found;
}
std::string word(const json* node) {
  if (node == nullptr) return {};
  return printable(node->is_string() ? node->get<std::string>() : node->dump());
}

tl::unexpected<Error> not_understood(std::string why) {
  return fail(ErrorCode::kStorageProtocol, "the server's answer: " + std::move(why));
}

std::string_view similarity(ElasticKind kind, Metric metric) {
  const bool elastic = kind == ElasticKind::kElasticsearch;
  switch (metric) {
    case Metric::kCosine:
      return elastic ? "cosine" : "cosinesimil";
    case Metric::kL2:
      return elastic ? "l2_norm" : "l2";
    case Metric::kInnerProduct:
      break;
  }
  return elastic ? "dot_product" : "innerproduct";
}

std::optional<Metric> metric_of_similarity(std::string_view text) {
  for (const Metric metric : {Metric::kCosine, Metric::kL2, Metric::kInnerProduct}) {
    for (const ElasticKind kind : {ElasticKind::kElasticsearch, ElasticKind::kOpensearch}) {
      if (text == similarity(kind, metric)) return metric;
    }
  }
  return std::nullopt;
}

/// Turns the score of the server, which is positive, into ours.
float score_of(ElasticKind kind, Metric metric, double score) {
  if (metric == Metric::kL2) return static_cast<float>(1 - 1 / std::max(score, 1e-30));
  const bool plain = kind == ElasticKind::kOpensearch && metric == Metric::kInnerProduct;
  if (plain) return static_cast<float>(score > 1 ? score - 1 : 1 - 1 / std::max(score, 1e-30));
  return static_cast<float>(2 * score - 1);
}

void append_vector(std::span<const float> row, std::string& text) {
  text.push_back('[');
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) text.push_back(',');
    fmt::format_to(std::back_inserter(text), "{}", row[i]);
  }
  text.push_back(']');
}

/// Puts the hits of one query into `answers`.
Status read_query(const json& found, ElasticKind kind, Metric metric, size_t query, SearchAnswers& answers) {
  if (const json* error = at(found, "error"))
    return fail(ErrorCode::kCommandFailed, "search: " + word(at(*error, "reason")));
  const json* late = at(found, "timed_out");
  if (late != nullptr && late->is_boolean() && late->get<bool>()) {
    return fail(ErrorCode::kTimeout, "search: the server says that it timed out");
  }
  const json* failed = at(found, {"_shards", "failed"});
  if (failed != nullptr && failed->is_number() && failed->get<double>() > 0) {
    return fail(ErrorCode::kCommandFailed, fmt::format("search: {} shards failed", failed->dump()));
  }
  const json* hits = at(found, {"hits", "hits"});
  uint32_t count = 0;
  if (hits == nullptr || !hits->is_array()) {
    answers.counts[query] = 0;  // filter_path leaves an empty list out
    return {};
  }
  for (const json& hit : *hits) {
    const json *id = at(hit, "_id"), *score = at(hit, "_score");
    if (id == nullptr || !id->is_string() || score == nullptr || !score->is_number()) {
      return not_understood("a hit without id or score");
    }
    const auto key = parse_number<uint64_t>(id->get_ref<const std::string&>());
    if (!key) return not_understood(fmt::format("a hit with the id {}", word(id)));
    if (count == answers.k) return not_understood("more hits than were asked for");
    answers.neighbours[query * answers.k + count++] = {*key, score_of(kind, metric, score->get<double>())};
  }
  answers.counts[query] = count;
  return {};
}

}  // namespace

Result<std::string> elastic_index_body(ElasticKind kind, const CollectionSpec& spec, std::string_view knn_engine,
                                       const std::string& description) {
  const bool elastic = kind == ElasticKind::kElasticsearch;
  const bool has = spec.index == IndexKind::kHnsw || (elastic && spec.index == IndexKind::kFlat);
  if (!has) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{} has no index {}", elastic ? "Elasticsearch" : "OpenSearch", index_name(spec.index)), {},
                elastic ? "it has HNSW and FLAT: give --vdb-index" : "it has HNSW: give --vdb-index HNSW");
  }
  json field, settings = {{"number_of_shards", spec.shards}, {"number_of_replicas", 0}};
  const std::string space(similarity(kind, spec.metric));
  if (elastic) {
    field = {{"type", "dense_vector"}, {"dims", spec.dimension}, {"index", true}, {"similarity", space}};
    // The default is quantised.
    if (spec.index == IndexKind::kFlat) field["index_options"] = {{"type", "flat"}};
    if (spec.index == IndexKind::kHnsw) {
      field["index_options"] = {{"type", "hnsw"}, {"m", spec.m}, {"ef_construction", spec.ef_construction}};
    }
  } else {
    settings["knn"] = true;
    field = {{"type", "knn_vector"},
             {"dimension", spec.dimension},
             {"method",
              {{"name", "hnsw"},
               {"space_type", space},
               {"engine", std::string(knn_engine)},
               {"parameters", {{"m", spec.m}, {"ef_construction", spec.ef_construction}}}}}};
  }
  const json body = {
      {"settings", {{"index", settings}}},
      {"mappings", {{"dynamic", false}, {"_meta", {{"mlpstorage", description}}}, {"properties", {{kField, field}}}}}};
  return body.dump();
}

void append_bulk_row(uint64_t key, std::span<const float> row, std::string& body) {
  fmt::format_to(std::back_inserter(body), "{{\"index\":{{\"_id\":\"{}\"}}}}\n{{\"{}\":", key, kField);
  append_vector(row, body);
  body += "}\n";
}

Status read_bulk(std::string_view answer, uint64_t rows) {
  const json found = parsed(answer);
  const json* errors = at(found, "errors");
  const json* items = at(found, "items");
  if (errors == nullptr || !errors->is_boolean() || items == nullptr || !items->is_array()) {
    return not_understood("a bulk load without a word about its rows");
  }
  if (!errors->get<bool>() && items->size() == rows) return {};
  for (const json& item : *items) {
    const json* error = at(item, {"index", "error"});
    if (error == nullptr) continue;
    return fail(ErrorCode::kCommandFailed,
                fmt::format("a row was refused: {}: {}", word(at(*error, "type")), word(at(*error, "reason"))));
  }
  return fail(ErrorCode::kDataMismatch, fmt::format("the server speaks of {} of {} rows", items->size(), rows));
}

std::string elastic_search_body(ElasticKind kind, IndexKind index, std::span<const float> query,
                                const SearchParams& params) {
  std::string body;
  if (kind == ElasticKind::kElasticsearch) {
    constexpr uint32_t kMostCandidates = 10'000;
    const uint32_t candidates = std::clamp(params.effort, params.k, std::max(params.k, kMostCandidates));
    body = fmt::format(R"({{"size":{},"_source":false,"knn":{{"field":"{}","k":{},"num_candidates":{},"query_vector":)",
                       params.k, kField, params.k, candidates);
    append_vector(query, body);
    return body + "}}";
  }
  body = fmt::format(R"({{"size":{},"_source":false,"query":{{"knn":{{"{}":{{"k":{},)", params.k, kField, params.k);
  if (index == IndexKind::kHnsw) {
    body += fmt::format(R"("method_parameters":{{"ef_search":{}}},)", std::max(params.effort, params.k));
  }
  body += "\"vector\":";
  append_vector(query, body);
  return body + "}}}}";
}

Status read_hits(std::string_view answer, bool many, ElasticKind kind, Metric metric, SearchAnswers& answers) {
  const json found = parsed(answer);
  if (!found.is_object()) return not_understood("no JSON object");
  if (!many) return read_query(found, kind, metric, 0, answers);
  const json* responses = at(found, "responses");
  if (responses == nullptr || !responses->is_array() || responses->size() != answers.counts.size()) {
    return not_understood("another number of answers than searches");
  }
  for (size_t query = 0; query < responses->size(); ++query) {
    if (Status read = read_query((*responses)[query], kind, metric, query, answers); !read) return read;
  }
  return {};
}

Result<ElasticMapping> read_mapping(ElasticKind kind, std::string_view answer, const std::string& collection) {
  const json found = parsed(answer);
  const json* mappings = at(found, {collection, "mappings"});
  const json* field = mappings == nullptr ? nullptr : at(*mappings, {"properties", kField});
  if (field == nullptr) return not_understood(fmt::format("no field '{}' in the mapping of {}", kField, collection));
  ElasticMapping mapping;
  if (const json* text = at(*mappings, {"_meta", "mlpstorage"}); text != nullptr && text->is_string()) {
    mapping.description = text->get<std::string>();
  }
  const bool elastic = kind == ElasticKind::kElasticsearch;
  const json* dimension = at(*field, elastic ? "dims" : "dimension");
  if (dimension != nullptr && dimension->is_number_unsigned()) mapping.dimension = dimension->get<uint32_t>();
  const json* options = at(*field, elastic ? "index_options" : "method");
  const json* space = elastic ? at(*field, "similarity") : at(*field, {"method", "space_type"});
  mapping.metric = metric_of_similarity(word(space)).value_or(Metric::kCosine);
  const std::string type = options == nullptr ? std::string() : word(at(*options, elastic ? "type" : "name"));
  mapping.index = type.find("flat") != std::string::npos ? IndexKind::kFlat : IndexKind::kHnsw;
  mapping.parameters.emplace_back(elastic ? "index_options" : "method",
                                  options == nullptr ? "-" : printable(options->dump()));
  return mapping;
}

std::optional<uint64_t> number_at(std::string_view answer, std::initializer_list<std::string_view> path) {
  const json found = parsed(answer);
  const json* node = at(found, path);
  if (node == nullptr || !node->is_number_unsigned()) return std::nullopt;
  return node->get<uint64_t>();
}

std::string text_at(std::string_view answer, std::initializer_list<std::string_view> path) {
  const json found = parsed(answer);
  return word(at(found, path));
}

Error elastic_error(const std::string& what, int status, std::string_view answer) {
  const json found = parsed(answer);
  const json* error = at(found, "error");
  const std::string words = error != nullptr && error->is_object()
                                ? word(at(*error, "type")) + ": " + word(at(*error, "reason"))
                            : error != nullptr ? word(error)
                                               : printable(answer);
  const ErrorCode code = status == 401 || status == 403   ? ErrorCode::kStorageDenied
                         : status == 404                  ? ErrorCode::kStorageNotFound
                         : status == 429 || status == 503 ? ErrorCode::kStorageThrottled
                         : status == 507                  ? ErrorCode::kStorageFull
                                                          : ErrorCode::kCommandFailed;
  return {code, fmt::format("{}: {}", what, words), fmt::format("HTTP status {}", status)};
}

}  // namespace mlps::vectordb
