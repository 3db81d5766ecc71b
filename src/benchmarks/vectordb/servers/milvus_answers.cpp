#include "benchmarks/vectordb/servers/milvus_answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "benchmarks/vectordb/servers/protobuf.hpp"

namespace mlps::vectordb {
namespace {

ErrorCode code_of_milvus(uint64_t code, uint64_t old) {
  constexpr uint64_t kRateLimit = 8, kDenied = 9, kNoCollection = 100, kNoIndex = 700, kBadParameter = 1100;
  constexpr uint64_t kOldNoCollection = 4, kOldRateLimit = 49;
  if (code == kRateLimit || (code == 0 && old == kOldRateLimit)) return ErrorCode::kStorageThrottled;
  if (code == kDenied) return ErrorCode::kStorageDenied;
  if (code == kNoCollection || code == kNoIndex || (code == 0 && old == kOldNoCollection)) {
    return ErrorCode::kStorageNotFound;
  }
  return code == kBadParameter ? ErrorCode::kConfigInvalid : ErrorCode::kCommandFailed;
}

std::pair<std::string, std::string> read_pair(std::string_view pair) {
  return {std::string(proto_field(pair, 1)), std::string(proto_field(pair, 2))};
}

/// Calls `visit` with the key and the value of every entry of a map field.
template <class Visit>
void for_each_entry(std::string_view message, uint32_t field, const Visit& visit) {
  for (ProtoReader reader(message); reader.next();) {
    if (reader.field() == field) visit(reader.bytes());
  }
}

}  // namespace

Status milvus_status(std::string_view method, std::string_view status) {
  uint64_t old = 0, code = 0;
  std::string reason, detail;
  for (ProtoReader reader(status); reader.next();) {
    if (reader.field() == 1) old = reader.number();
    if (reader.field() == 2) reason = reader.text();
    if (reader.field() == 3) code = reader.number() & UINT32_MAX;
    if (reader.field() == 5) detail = reader.text();
  }
  if (old == 0 && code == 0) return {};
  return fail(code_of_milvus(code, old), fmt::format("Milvus: {}: {}", method, printable(reason)),
              fmt::format("code {}, error_code {} {}", code, old, printable(detail)));
}

MilvusCollection read_milvus_collection(std::string_view answer, std::string_view vector_field,
                                        std::string_view property) {
  MilvusCollection collection;
  collection.id = proto_number(answer, 3);
  const std::string_view schema = proto_field(answer, 2);
  for_each_entry(answer, 13, [&](std::string_view pair) {
    auto [key, value] = read_pair(pair);
    if (key == property) collection.description = std::move(value);
  });
  for_each_entry(schema, 4, [&](std::string_view field) {
    if (proto_field(field, 2) != vector_field) return;
    for_each_entry(field, 6, [&](std::string_view pair) {
      const auto [key, value] = read_pair(pair);
      if (key == "dim") collection.dimension = parse_number<uint32_t>(value).value_or(0);
    });
  });
  return collection;
}

std::string MilvusIndex::value(std::string_view key) const {
  for (const auto& [name, text] : parameters) {
    if (name == key) return text;
  }
  return {};
}

Result<MilvusIndex> read_milvus_index(std::string_view answer) {
  const std::string_view description = proto_field(answer, 2);
  if (description.empty()) return fail(ErrorCode::kStorageNotFound, "Milvus: the collection has no index");
  MilvusIndex index;
  for (ProtoReader reader(description); reader.next();) {
    switch (reader.field()) {
      case 3: {
        auto [key, value] = read_pair(reader.bytes());
        const auto inside = key == "params" ? nlohmann::json::parse(value, nullptr, false) : nlohmann::json();
        if (!inside.is_object()) {
          index.parameters.emplace_back(printable(key), printable(value));
          break;
        }
        for (const auto& [name, each] : inside.items()) {
          index.parameters.emplace_back(printable(name),
                                        printable(each.is_string() ? each.get<std::string>() : each.dump()));
        }
        break;
      }
      case 5:
        index.indexed = reader.number();
        break;
      case 6:
        index.total = reader.number();
        break;
      case 7:
        index.state = reader.number();
        break;
      case 8:
        index.reason = printable(reader.bytes());
        break;
      case 9:
        index.pending = reader.number();
        break;
      default:
        break;
    }
  }
  return index;
}

MilvusFlush read_milvus_flush(std::string_view answer, std::string_view collection) {
  MilvusFlush flush;
  for_each_entry(answer, 3, [&](std::string_view entry) {
    if (proto_field(entry, 1) != collection) return;
    std::vector<uint64_t> segments;
    for (ProtoReader reader(proto_field(entry, 2)); reader.next();) {
      if (reader.field() == 1) reader.numbers(segments);
    }
    for (const uint64_t segment : segments) flush.segments.push_back(static_cast<int64_t>(segment));
  });
  for_each_entry(answer, 6, [&](std::string_view entry) {
    if (proto_field(entry, 1) == collection) flush.timestamp = proto_number(entry, 2);
  });
  return flush;
}

uint64_t read_milvus_rows(std::string_view answer) {
  uint64_t rows = 0;
  for_each_entry(answer, 2, [&](std::string_view pair) {
    const auto [key, value] = read_pair(pair);
    if (key == "row_count") rows = parse_number<uint64_t>(value).value_or(0);
  });
  return rows;
}

Status read_milvus_hits(std::string_view results, Metric metric, SearchAnswers& answers) {
  std::vector<float> scores;
  std::vector<uint64_t> keys, counts;
  uint64_t queries = 0;
  ProtoReader reader(results);
  while (reader.next()) {
    if (reader.field() == 1) queries = reader.number();
    if (reader.field() == 4) reader.floats(scores);
    if (reader.field() == 6) reader.numbers(counts);
    if (reader.field() != 5) continue;
    for (ProtoReader list(proto_field(reader.bytes(), 1)); list.next();) {
      if (list.field() == 1) list.numbers(keys);
    }
  }
  const auto unusable = [](std::string why) { return fail(ErrorCode::kStorageProtocol, "Milvus: Search: " + why); };
  if (!reader.good()) return unusable("the answer is malformed");
  if (queries != answers.counts.size() || counts.size() != queries) {
    return unusable(fmt::format("the answer is about {} queries, not {}", queries, answers.counts.size()));
  }
  size_t next = 0;
  for (size_t query = 0; query < counts.size(); ++query) {
    const uint64_t count = counts[query];
    if (count > keys.size() - next || count > scores.size() - next || count > answers.k) {
      return unusable(fmt::format("query {} is said to have {} hits", query, count));
    }
    answers.counts[query] = static_cast<uint32_t>(count);
    for (size_t i = 0; i < count; ++i, ++next) {
      const float score = metric == Metric::kL2 ? -scores[next] : scores[next];
      answers.neighbours[query * answers.k + i] = {keys[next], score};
    }
  }
  return {};
}

}  // namespace mlps::vectordb
