#include "results/provenance.hpp"

#include "base/clock.hpp"
#include "base/version.hpp"
#include "results/code_image.hpp"
#include "results/core_config.hpp"
#include "results/json_text.hpp"

namespace mlps::results {
namespace {

constexpr int kStampIndent = 2;
constexpr int kLayoutVersion = 3;  // with code-images/ at the root, and this file
constexpr const char* kNotKnown = "unknown";

}  // namespace

std::string provenance_text(const RunContext& context) {
  const bool in_object_store = context.protocol == "object";
  const bool has_image = context.mode != "whatif";
  const std::string sha(commit_id());
  const CoreConfig core = core_config(context);
  Json json;
  json["schema"] = "mlps-run-provenance/1";
  json["rules_edition"] = std::string(kRulesEdition);
  json["layout_version"] = kLayoutVersion;
  json["tool"] = {{"name", "mlpstorage"},
                  {"version", context.tool_version},
                  {"git_sha", sha.empty() ? kNotKnown : sha},
                  {"code_image", has_image ? code_image_pointer() : kNotKnown}};
  json["dlio"] = {{"version", kNotKnown}, {"source", kNotKnown}, {"commit", kNotKnown}};
  json["storage_library"] = {{"name", in_object_store ? "mlpstorage" : "none"}};
  if (in_object_store) json["storage_library"]["version"] = context.tool_version;
  json["core_config"] = {
      {"algorithm", kCoreAlgorithm}, {"allowlist", core.allowlist}, {"hash", core.hash}, {"keys", core.keys}};
  json["stamped_at"] = iso_utc(Stamp::now().wall_us);
  json["stamped_by"] = "mlpstorage " + context.tool_version;
  json["provenance"] = {{"rules_edition", "tool-constant"},
                        {"layout_version", "tool-constant"},
                        {"tool", "runtime"},
                        {"dlio", kNotKnown},
                        {"storage_library", in_object_store ? "runtime" : "n/a"},
                        {"core_config", "runtime"}};
  return indented(json, kStampIndent);
}

}  // namespace mlps::results
