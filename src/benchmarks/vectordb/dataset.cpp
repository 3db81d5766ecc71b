#include "benchmarks/vectordb/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.hpp"
#include "benchmarks/vectordb/files/row_file.hpp"

namespace mlps::vectordb {
namespace {

constexpr const char* kSchema = "mlpstorage.vectordb-dataset/1";
constexpr uint64_t kMostRows = 1'000'000'000'000;

tl::unexpected<Error> unusable(const std::string& where, const std::string& why) {
  return fail(ErrorCode::kDataMismatch, fmt::format("the description of the vectors in {}: {}", where, why), {},
              "load the collection again with 'vectordb datagen --force'");
}

std::optional<uint64_t> parse_hex(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string dataset_text(const SourceSpec& source) {
  Json json;
  json["schema"] = kSchema;
  json["distribution"] = distribution_name(source.distribution);
  json["seed"] = source.seed;
  json["rows"] = source.rows;
  json["dimension"] = source.dimension;
  if (source.distribution == Distribution::kFile) {
    json["file"] = source.file.path;
    json["part"] = source.file.part;
    json["file_bytes"] = source.file.bytes;
    json["file_crc64"] = fmt::format("{:016x}", source.file.checksum);
    return json.dump();
  }
  json["normalise"] = source.normalise;
  if (source.distribution == Distribution::kClustered) {
    json["clusters"] = source.clustered.clusters;
    json["intrinsic_dimension"] = source.clustered.intrinsic_dimension;
    json["ambient"] = source.clustered.ambient;
    json["centre_scale"] = static_cast<double>(source.clustered.centre_scale);
    json["noise"] = static_cast<double>(source.clustered.noise);
  }
  return json.dump();
}

Result<SourceSpec> parse_dataset(std::string_view text, const std::string& where) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return unusable(where, "it is no JSON object");
  const auto number = [&](const char* key) -> uint64_t {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
  };
  const auto real = [&](const char* key, float usual) -> float {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<float>() : usual;
  };
  const auto word = [&](const char* key) -> std::string {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (word("schema") != kSchema) return unusable(where, fmt::format("its schema is not {}", kSchema));
  const auto distribution = distribution_of(word("distribution"));
  if (!distribution) return unusable(where, "its distribution is not known");
  SourceSpec source;
  source.distribution = *distribution;
  source.seed = number("seed");
  source.rows = number("rows");
  if (source.rows == 0 || source.rows > kMostRows) return unusable(where, "its number of rows is out of range");
  const uint64_t dimension = number("dimension");
  if (dimension == 0 || dimension > 32'768) return unusable(where, "its dimension is not 1 to 32768");
  source.dimension = static_cast<uint32_t>(dimension);
  if (*distribution == Distribution::kFile) {
    const auto checksum = parse_hex(word("file_crc64"));
    source.file = {word("file"), word("part"), number("file_bytes"), checksum.value_or(0)};
    if (source.file.path.empty() || source.file.bytes == 0 || !checksum) {
      return unusable(where, "it does not say what file they are from");
    }
    return source;
  }
  const auto normalise = json.find("normalise");
  source.normalise = normalise == json.end() || !normalise->is_boolean() || normalise->get<bool>();
  if (*distribution != Distribution::kClustered) return source;
  const auto small = [&](const char* key, uint32_t& value) {
    if (json.contains(key)) value = static_cast<uint32_t>(std::min<uint64_t>(number(key), UINT32_MAX));
  };
  small("clusters", source.clustered.clusters);
  small("intrinsic_dimension", source.clustered.intrinsic_dimension);
  small("ambient", source.clustered.ambient);
  source.clustered.centre_scale = real("centre_scale", source.clustered.centre_scale);
  source.clustered.noise = real("noise", source.clustered.noise);
  return source;
}

SourceSpec fitted(SourceSpec source) {
  ClusteredSpec& clustered = source.clustered;
  clustered.ambient = std::min(clustered.ambient, source.dimension);
  clustered.intrinsic_dimension = std::min(clustered.intrinsic_dimension, clustered.ambient);
  return source;
}

Result<SourceSpec> with_all_rows(SourceSpec source) {
  source.rows = UINT32_MAX;
  if (source.distribution != Distribution::kFile) return source;
  const auto rows = rows_of_file(source);
  if (!rows) return fail(rows.error());
  source.rows = *rows;
  return source;
}

}  // namespace mlps::vectordb
