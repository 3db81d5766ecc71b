#include "workloads/workload_file.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

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
      const Status done = entry.second.IsMap() ? section(entry.second, key + ".", level + 1) : leaf(key, entry.second);
      if (!done) return done;
    }
    return {};
  }

  WorkloadFile take() { return std::move(file_); }

 private:
  static tl::unexpected<Error> refuse(std::string_view key, std::string_view what) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("workload file: {} {}", key.substr(0, 200), what));
  }

  Status leaf(const std::string& key, const YAML::Node& node) {
    if (unknown_ == UnknownKeys::kCollected) {
      if (!schema_.knows(key)) {
        file_.unknown.push_back(key.substr(0, 200));
        return {};
      }
      if (node.IsNull()) return {};
    }
    const Key* known = schema_.find(key);
    const bool list = known != nullptr &&
                      (known->kind == Kind::kNames || known->kind == Kind::kCounts || known->kind == Kind::kColumns);
    if (!node.IsScalar() && !(list && node.IsSequence())) return refuse(key, "is neither a value nor a section");
    if (file_.values.count(key) != 0) return refuse(key, "is given twice");
    auto value = schema_.checked_value(key, node.IsScalar() ? node.Scalar() : flow_text(node));
    if (!value) return fail(value.error());
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
  WorkloadFile file_;
};

}  // namespace

Result<WorkloadFile> read_workload_file(std::string_view yaml, const Schema& schema, UnknownKeys unknown) {
  // yaml-cpp throws on bad syntax and on odd nodes; the exceptions end here.
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap()) return fail(ErrorCode::kConfigParse, "workload file: not a map of sections");
    Flattening flattening(schema, unknown);
    if (Status done = flattening.section(root, "", 1); !done) return fail(done.error());
    return flattening.take();
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kConfigParse, fmt::format("workload file: {}", error.what()));
  }
}

Result<std::string_view> embedded_text(std::string_view name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == name) return file.text;
  }
  return fail(ErrorCode::kConfigFileNotFound, fmt::format("{} is not part of this build", name));
}

}  // namespace mlps::workloads
