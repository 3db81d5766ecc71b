// Files of a tree of results that others wrote: as JSON and as YAML, in the place of each file that a rule reads.
#include "fuzz.hpp"
#include "rules/rule.hpp"
#include "rules/system_schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps::rules;
  const std::string text(mlps::fuzz::text_of(data, size));
  (void)parse_moment(text);
  if (const auto yaml = parse_yaml_document(text)) (void)check_system(yaml->root());
  const auto json = parse_json_document(text);
  if (!json) return 0;
  mlps::fuzz::require(parse_json_document(json->root().dump()).has_value(), "a document survives being written");
  static const auto tree = Tree::open("/");
  for (const char* family : {"training", "checkpointing", "vector_database", "kv_cache"}) {
    for (const char* division : {"closed", "open"}) {
      Leaf leaf;
      leaf.place = {"closed/a/results/b/c/20260101_000000", "20260101_000000", "run"};
      leaf.metadata_files = {"a_metadata.json"};
      leaf.metadata = leaf.summary = leaf.separation = leaf.verdict = leaf.provenance = *json;
      leaf.pointer = text;
      Workload workload{
          {division, "a", "b", family, "unet3d", "closed/a/results/b/c", {}, {leaf.place}}, {leaf, leaf}, *json};
      workload.leaves.front().place.command = "datagen";
      workload.leaves.push_back(leaf);
      for (const Edition edition : {Edition::kEarly, Edition::kRound, Edition::kAfter}) {
        Judge judge({edition, false, false, ""});
        for (const Rule* rule : all_rules()) {
          const auto* check = std::get_if<WorkloadCheck>(&rule->check);
          if (check == nullptr || *check == nullptr || (!rule->family.empty() && rule->family != family)) continue;
          judge.begin(*rule);
          (*check)(*tree, workload, judge);
        }
      }
    }
  }
  return 0;
}
