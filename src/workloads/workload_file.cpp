#include "workloads/workload_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/text.hpp"
#include "workloads/embedded.hpp"

namespace mlps::workloads {
namespace {

// Real files have 3 levels and 30 keys; aliases can make a small text expand without bound.
constexpr int kMostLevels = 8;
constexpr size_t kMostKeys = 10'000;

class Flattening {
 public:
  Flattening(const Schema& schema, UnknownKeys unknown) : schema_(schema), unknown_(unknown) {}

  Status section(const YAML::Node& node, const std::string& prefix, int level) {
    if (level > kMostLevels) return refuse(prefix, "is nested too deeply");
    for (const auto& entry : node) {
      if (++keys_ > kMostKeys) return refuse(prefix, "belongs to a file of too many keys");
      const std::string key = prefix + entry.first.Scalar();
      if (!entry.second.IsMap()) {
        if (Status done = leaf(key, entry.second); !done) errors_.push_back(done.error());
      } else if (Status done = section(entry.second, key + ".", level + 1); !done) {
        return done;
      }
    }
    return {};
  }

  /// Notes what stands beside the level `workload`.
  void beside(const YAML::Node& root) {
    file_.is_record = true;
    for (const auto& entry : root) {
      if (entry.first.Scalar() != "workload") file_.unknown.push_back(entry.first.Scalar().substr(0, 200));
    }
  }

  Result<WorkloadFile> take() {
    if (!errors_.empty()) return fail(with_unknown_keys(together(errors_), file_.unknown, schema_));
    if (!file_.values.empty()) return std::move(file_);
    const std::string first = file_.unknown.empty() ? std::string() : file_.unknown.front();
    return fail(
        ErrorCode::kConfigParse, "workload file: it has no key of a workload",
        first.empty() ? "it is empty"
                      : fmt::format("{} keys are unknown, the first is {}", file_.unknown.size(), first),
        schema_.nearest_known(first) +
            "a definition has sections such as dataset, reader and train, on the top level or below `workload:`");
  }

 private:
  static tl::unexpected<Error> refuse(std::string_view key, std::string_view what, std::string suggestion = {}) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("workload file: {} {}", key.substr(0, 200), what), {},
                std::move(suggestion));
  }

  bool is_section(const std::string& key) const {
    const auto inside = [&](const Key& known) { return known.name.starts_with(key + "."); };
    return std::any_of(schema_.keys().begin(), schema_.keys().end(), inside);
  }

  Status leaf(const std::string& key, const YAML::Node& node) {
    if (is_section(key) && !schema_.knows(key)) {
      if (node.IsNull() && unknown_ == UnknownKeys::kCollected) return {};
      return refuse(key, "is a section of keys, not a value");
    }
    if (unknown_ == UnknownKeys::kCollected) {
      if (!schema_.knows(key)) {
        file_.unknown.push_back(key.substr(0, 200));
        return {};
      }
      if (node.IsNull()) return {};
    }
    const Key* known = schema_.find(key);
    const bool list = known != nullptr && (!known->no_effect_as.empty() || known->kind == Kind::kNames ||
                                           known->kind == Kind::kCounts || known->kind == Kind::kColumns);
    if (!node.IsScalar() && !(list && node.IsSequence())) return refuse(key, "is neither a value nor a section");
    if (file_.values.count(key) != 0) return refuse(key, "is given twice");
    auto value = schema_.checked_value(key, node.IsScalar() ? node.Scalar() : flow_text(node));
    if (!value) {
      Error error = value.error();
      error.message = "workload file: " + error.message;
      return fail(std::move(error));
    }
    file_.values[key] = SourcedValue{std::move(*value), ValueSource::kWorkloadFile};
    return {};
  }

  static std::string flow_text(const YAML::Node& node) {
    YAML::Emitter emitter;
    emitter.SetSeqFormat(YAML::Flow);
    emitter.SetMapFormat(YAML::Flow);
    emitter << node;
    return emitter.c_str();
  }

  const Schema& schema_;
  UnknownKeys unknown_;
  size_t keys_ = 0;
  std::vector<Error> errors_;
  WorkloadFile file_;
};

}  // namespace

Result<WorkloadFile> read_workload_file(std::string_view yaml, const Schema& schema, UnknownKeys unknown) {
  // yaml-cpp throws on bad syntax and on odd nodes; the exceptions end here.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() > 1) {
      return fail(ErrorCode::kConfigParse, fmt::format("workload file: it holds {} documents", documents.size()), {},
                  "one file defines one workload: take out the lines ---");
    }
    const YAML::Node root = documents.empty() ? YAML::Node() : documents.front();
    if (!root.IsMap()) return fail(ErrorCode::kConfigParse, "workload file: not a map of sections");
    Flattening flattening(schema, unknown);
    // The level of a composed configuration.
    const YAML::Node inner = root["workload"];
    const bool composed = inner.IsDefined() && inner.IsMap();
    if (Status done = flattening.section(composed ? inner : root, "", 1); !done) return fail(done.error());
    if (composed) flattening.beside(root);
    return flattening.take();
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kConfigParse, fmt::format("workload file: {}", error.what()));
  }
}

std::vector<std::string> unknown_key_texts(const std::vector<std::string>& unknown, const Schema& schema) {
  std::vector<std::string> texts;
  for (const std::string& key : unknown) {
    const std::string nearest = schema.nearest_known(key);
    texts.push_back(fmt::format("the workload file's {} is unknown and has no effect{}{}", key,
                                nearest.empty() ? "" : ": ", trimmed(nearest)));
  }
  return texts;
}

Error with_unknown_keys(Error error, const std::vector<std::string>& unknown, const Schema& schema) {
  if (unknown.empty()) return error;
  error.details += (error.details.empty() ? "" : "; ") + join(unknown_key_texts(unknown, schema), "; ");
  return error;
}

Result<std::string_view> embedded_text(std::string_view name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == name) return file.text;
  }
  return fail(ErrorCode::kConfigFileNotFound, fmt::format("{} is not part of this build", name));
}

}  // namespace mlps::workloads
