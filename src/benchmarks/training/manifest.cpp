#include "benchmarks/training/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/version.hpp"

namespace mlps::training {
namespace {

using nlohmann::json;

constexpr uint64_t kManifestVersion = 1;
constexpr const char* kOurs = "mlpstorage_cpp";

tl::unexpected<Error> bad_field(std::string_view name, std::string_view what) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {} {}", kManifestName, name, what), {},
              "repair or remove the manifest, or give --skip-validation: without it the files are read as they are");
}

// Fields of one JSON object; remembers the first that is wrong.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  const std::optional<Error>& error() const { return error_; }

  /// Returns the names in the object that nobody asked for.
  std::vector<std::string> unknown() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : object_.items()) {
      if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) names.push_back(name.substr(0, 100));
    }
    return names;
  }

  void text(const char* name, std::string& member, bool required) {
    const json* value = find(name, required);
    if (value == nullptr) return;
    if (!value->is_string()) return refuse(name, "is no text");
    member = value->get<std::string>();
  }

  void count(const char* name, uint64_t& member, uint64_t least, uint64_t most, bool required) {
    const json* value = find(name, required);
    if (value == nullptr) return;
    const auto number = count_of(*value);
    if (!number) return refuse(name, "is no whole number");
    member = *number;
    if (member < least || member > most) refuse(name, fmt::format("is not from {} to {}", least, most));
  }

  void real(const char* name, double& member, double least, double most) {
    const json* value = find(name, true);
    if (value == nullptr) return;
    const std::optional<double> number = value->is_string()   ? parse_number<double>(trimmed(value->get<std::string>()))
                                         : value->is_number() ? std::optional(value->get<double>())
                                                              : std::nullopt;
    if (!number) return refuse(name, "is no number");
    member = *number;
    if (!(member >= least && member <= most)) refuse(name, fmt::format("is not from {} to {}", least, most));
  }

 private:
  // mlpstorage 3.0 writes what the user typed in --params as text, and numbers of YAML may be real.
  static std::optional<uint64_t> count_of(const json& value) {
    if (value.is_number_unsigned()) return value.get<uint64_t>();
    if (value.is_string()) return parse_number<uint64_t>(trimmed(value.get<std::string>()));
    if (!value.is_number_float()) return std::nullopt;
    const auto number = value.get<double>();
    if (!(number >= 0 && number < 0x1p63) || std::floor(number) != number) return std::nullopt;
    return static_cast<uint64_t>(number);
  }

  // mlpstorage 3.0 writes null for "not known".
  const json* find(const char* name, bool required) {
    asked_.emplace_back(name);
    const auto found = object_.find(name);
    if (found != object_.end() && !found->is_null()) return &*found;
    if (required) refuse(name, "is missing");
    return nullptr;
  }
  void refuse(const char* name, std::string_view what) {
    if (!error_) error_ = bad_field(name, what).value();
  }

  const json& object_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

Status read_ours(const json& object, Manifest& manifest) {
  if (!object.is_object()) return bad_field(kOurs, "is no object");
  Fields fields(object);
  uint64_t seed = 0;
  fields.count("seed", seed, 0, UINT64_MAX, true);
  fields.text("shape", manifest.shape, true);
  if (fields.error()) return fail(*fields.error());
  manifest.seed = seed;
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_text(storage::Session& session, const char* name) {
  const auto bytes = storage::get_whole(session, name, kMostManifestBytes);
  if (bytes) return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (bytes.error().code == ErrorCode::kStorageNotFound) return std::nullopt;
  return fail(bytes.error());
}

Manifest make_manifest(const workloads::TrainingWorkload& workload, uint64_t seed, std::string tool_version,
                       std::string source_result_dir, int64_t wall_us) {
  Manifest manifest;
  manifest.model = workload.model;
  manifest.num_files_train = workload.dataset.num_files_train;
  manifest.num_samples_per_file = workload.dataset.num_samples_per_file;
  manifest.record_length_bytes = workload.dataset.record_bytes;
  manifest.created_at = iso_utc(wall_us);
  manifest.tool_version = std::move(tool_version);
  manifest.source_result_dir = std::move(source_result_dir);
  manifest.num_subfolders_train = workload.dataset.num_subfolders_train;
  manifest.dataset_format = workloads::format_name(workload.dataset.format);
  manifest.rules_edition = kRulesEdition;
  manifest.seed = seed;
  manifest.shape = shape_text(workload, seed);
  return manifest;
}

std::string manifest_text(const Manifest& manifest) {
  const auto or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
  json object;  // its keys are sorted
  object["schema_version"] = kManifestVersion;
  object["model"] = manifest.model;
  object["num_files_train"] = manifest.num_files_train;
  object["num_samples_per_file"] = manifest.num_samples_per_file;
  const double length = manifest.record_length_bytes;
  object["record_length_bytes"] = std::floor(length) == length ? json(static_cast<uint64_t>(length)) : json(length);
  object["created_at"] = manifest.created_at;
  object["mlpstorage_version"] = manifest.tool_version;
  object["source_datagen_result_dir"] = manifest.source_result_dir;
  object["num_subfolders_train"] = manifest.num_subfolders_train;
  object["dataset_format"] = or_null(manifest.dataset_format);
  object["rules_edition"] = or_null(manifest.rules_edition);
  if (manifest.seed) object[kOurs] = {{"seed", *manifest.seed}, {"shape", manifest.shape}};
  // Paths of the user may hold any bytes.
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  if (text.size() > kMostManifestBytes) return bad_field("its size", fmt::format("is {} bytes", text.size()));
  const json object = json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return bad_field("its text", "is no JSON object");
  Fields fields(object);
  uint64_t version = 0;
  fields.count("schema_version", version, kManifestVersion, UINT64_MAX, true);
  if (!fields.error() && version > kManifestVersion) {
    return bad_field("schema_version", fmt::format("is {}; {} is known", version, kManifestVersion));
  }
  Manifest manifest;
  fields.text("model", manifest.model, true);
  fields.count("num_files_train", manifest.num_files_train, 1, 10'000'000'000, true);
  fields.count("num_samples_per_file", manifest.num_samples_per_file, 1, 100'000'000, true);
  fields.real("record_length_bytes", manifest.record_length_bytes, 1, 0x1p60);
  fields.text("created_at", manifest.created_at, false);
  fields.text("mlpstorage_version", manifest.tool_version, false);
  fields.text("source_datagen_result_dir", manifest.source_result_dir, false);
  fields.count("num_subfolders_train", manifest.num_subfolders_train, 0, 1'000'000, false);
  fields.text("dataset_format", manifest.dataset_format, false);
  fields.text("rules_edition", manifest.rules_edition, false);
  if (fields.error()) return fail(*fields.error());
  manifest.unknown = fields.unknown();
  if (const auto ours = object.find(kOurs); ours != object.end()) {
    std::erase(manifest.unknown, kOurs);
    if (Status done = read_ours(*ours, manifest); !done) return fail(done.error());
  }
  return manifest;
}

}  // namespace mlps::training
