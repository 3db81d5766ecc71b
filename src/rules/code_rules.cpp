#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "benchmarks/checkpointing/results/class_keys.hpp"
#include "benchmarks/training/results/class_keys.hpp"
#include "results/core_config.hpp"
#include "rules/rank_files.hpp"
#include "rules/rule.hpp"
#include "rules/tree_digest.hpp"

/// Rules about code images, provenance, editions, and the integrity of what a run left.
namespace mlps::rules {
namespace {

constexpr std::string_view kPoolMarker = ".mlps-image-pool";
constexpr std::string_view kAlgorithm = "md5-tree-v2:";
constexpr size_t kHashDigits = 32;
constexpr size_t kNameDigits = 8;

// The folders where images may lie, of all versions: code-images/ and the one of each organisation.
std::vector<std::string> pools_of(const Tree& tree) {
  Problems ignored;
  std::vector<std::string> pools;
  for (const std::string& name : tree.folders("", ignored)) {
    if (name == "closed" || name == "open" || name == "whatif") continue;
    const std::vector<std::string> inner = tree.folders(name, ignored);
    const bool has_images =
        std::any_of(inner.begin(), inner.end(), [](const auto& folder) { return folder.starts_with("code-"); });
    if (has_images || tree.has(joined(name, kPoolMarker))) pools.push_back(name);
  }
  return pools;
}

std::vector<std::string> images_of(const Tree& tree) {
  Problems ignored;
  std::vector<std::string> images;
  for (const std::string& pool : pools_of(tree)) {
    for (const std::string& name : tree.folders(pool, ignored)) {
      if (name.starts_with("code-")) images.push_back(joined(pool, name));
    }
  }
  return images;
}

bool is_pointer(std::string_view text) {
  return text.size() == kAlgorithm.size() + kHashDigits && text.starts_with(kAlgorithm) &&
         text.substr(kAlgorithm.size()).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
std::string image_name(std::string_view pointer) {
  return fmt::format("code-{}", pointer.substr(kAlgorithm.size(), kNameDigits));
}

void check_pointers(const Tree& tree, const Workload& workload, Judge& judge) {
  if (judge.terms().edition == Edition::kEarly) return;  // there was one code/ for all runs
  for (const Leaf& leaf : workload.leaves) {
    const std::string path = joined(leaf.place.path, ".mlps-code-image");
    if (leaf.pointer.empty()) {
      judge.add(leaf.place.path, "", "has no .mlps-code-image: nothing tells which code ran");
    } else if (!is_pointer(leaf.pointer)) {
      judge.add(path, "", "isn't 'md5-tree-v2:' and 32 hexadecimal digits");
    } else {
      const std::string name = image_name(leaf.pointer);
      const bool there = tree.has("code-images/" + name) || tree.has(joined(workload.place.orgname, name));
      if (!there) judge.add(path, "", fmt::format("points to {}, which is in no pool of the tree", name));
    }
  }
}

void check_images(const Tree& tree, Judge& judge) {
  for (const std::string& image : images_of(tree)) {
    Problems problems;
    const Document recorded = tree.json(joined(image, ".code-hash.json"), problems);
    const std::string hash = recorded["hash"].text_or("");
    const std::string path = joined(image, ".code-hash.json");
    if (!is_pointer(std::string(kAlgorithm) + hash) || recorded["algorithm"].text_or("") != "md5-tree-v2") {
      judge.add(path, "hash", "is missing or malformed: hash must be 32 hexadecimal digits, algorithm md5-tree-v2");
      continue;
    }
    if (!image.ends_with("/code-" + hash.substr(0, kNameDigits)))
      judge.add(image, "", "isn't named by its hash, " + hash);
    const Result<std::string> computed = tree_digest(tree.absolute(image));
    if (!computed) {
      judge.add(image, "", computed.error().message);
    } else if (*computed != hash) {
      judge.add(path, "hash", fmt::format("is {}; the files of the image have {}", hash, *computed));
    }
    if (const std::string& wanted = judge.terms().reference_checksum; !wanted.empty() && hash != wanted) {
      judge.add(path, "hash", fmt::format("is {}; --reference-checksum is {}", hash, wanted));
    }
  }
}

// The pointers of all run folders.
std::set<std::string> pointers_of(const Tree& tree) {
  std::set<std::string> names;
  Problems ignored;
  for (const std::string& submission : tree.submissions(ignored)) {
    for (const WorkloadPlace& place : tree.workloads(submission, ignored)) {
      for (const LeafPlace& leaf : place.leaves) {
        const std::string pointer = tree.text(joined(leaf.path, ".mlps-code-image"), ignored);
        if (is_pointer(pointer)) names.insert(image_name(pointer));
      }
    }
  }
  return names;
}

void check_orphans(const Tree& tree, Judge& judge) {
  const std::vector<std::string> images = images_of(tree);
  if (images.empty()) return;
  const std::set<std::string> used = pointers_of(tree);
  for (const std::string& image : images) {
    if (!used.contains(image.substr(image.rfind('/') + 1))) judge.add(image, "", "belongs to no run");
  }
}

void check_pools(const Tree& tree, Judge& judge) {
  Problems ignored;
  for (const std::string& pool : pools_of(tree)) {
    const bool marked = tree.has(joined(pool, kPoolMarker));
    const std::vector<std::string> inner = tree.folders(pool, ignored);
    const bool filled =
        std::any_of(inner.begin(), inner.end(), [](const auto& name) { return name.starts_with("code-"); });
    if (!marked) judge.add(pool, "", "has code images but no .mlps-image-pool");
    if (!filled) judge.add(Severity::kWarning, pool, "", "has .mlps-image-pool but no code image");
  }
  if (judge.terms().edition == Edition::kEarly) return;
  for (const std::string& submission : tree.submissions(ignored)) {
    if (tree.has(submission + "/code")) judge.add(submission + "/code", "", "is of the time before pools of images");
  }
}

void check_provenance(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf& leaf : workload.leaves) {
    const std::string path = joined(leaf.place.path, "provenance.json");
    if (!leaf.has_file("provenance.json")) {
      if (leaf.metadata["provenance_file"].text())
        judge.add(metadata_path(leaf), "provenance_file", "names a file that isn't there");
      continue;
    }
    const std::string image = leaf.provenance.at("tool.code_image").text_or("");
    if (leaf.provenance["schema"].text_or("") != "mlps-run-provenance/1") {
      judge.add(path, "schema", "isn't mlps-run-provenance/1");
    } else if (!leaf.pointer.empty() && image != "unknown" && leaf.pointer.find(image) == std::string::npos &&
               image.find(leaf.pointer) == std::string::npos) {
      judge.add(path, "tool.code_image", fmt::format("is {}; .mlps-code-image is {}", image, leaf.pointer));
    }
  }
}

void check_edition(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  constexpr std::array<std::string_view, 4> kKnown = {"0.5", "1.0", "2.0", "3.0"};
  for (const Leaf& leaf : workload.leaves) {
    const auto edition = leaf.provenance["rules_edition"].text();
    if (edition && *edition != "unknown" && std::find(kKnown.begin(), kKnown.end(), *edition) == kKnown.end()) {
      judge.add(joined(leaf.place.path, "provenance.json"), "rules_edition",
                fmt::format("is {}, which isn't known; known are {}", *edition, join(kKnown, ", ")));
    }
  }
}

// The comparability classes of edition 3.0. An empty accelerator stands for any.
struct KnownClass {
  std::string_view family, model, accelerator, hash;
};
constexpr std::array<KnownClass, 8> kClasses = {{{"training", "unet3d", "b200", "0d3ad0dec188becd"},
                                                 {"training", "unet3d", "b200", "f636f5a57473fca2"},
                                                 {"training", "retinanet", "b200", "20c73f53486caba0"},
                                                 {"training", "retinanet", "mi355", "66c43604eb650987"},
                                                 {"checkpointing", "llama3-8b", "", "68df04b7240e3fb0"},
                                                 {"checkpointing", "llama3-70b", "", "3c53fe70d64f91d4"},
                                                 {"checkpointing", "llama3-405b", "", "7adcfa87a5c4c8e6"},
                                                 {"checkpointing", "llama3-1t", "", "45fd627ad9dc5f4c"}}};

bool is_published(const Workload& workload, const Leaf& leaf, std::string_view hash) {
  const std::string accelerator = leaf.metadata["accelerator"].text_or("");
  return std::any_of(kClasses.begin(), kClasses.end(), [&](const KnownClass& known) {
    return known.family == workload.place.family && known.model == workload.place.model && known.hash == hash &&
           (known.accelerator.empty() || known.accelerator == accelerator);
  });
}

void check_class(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const bool training = workload.place.family == "training";
  if (!training && workload.place.family != "checkpointing") return;
  const results::ClassKeys& keys = training ? results::kTrainingClass : results::kCheckpointClass;
  for (const Leaf* leaf : workload.of("run")) {
    const auto stamped = leaf->provenance.at("core_config.hash").text();
    if (!stamped || *stamped == "unknown") continue;
    const std::string path = joined(leaf->place.path, "provenance.json");
    const std::string computed = results::core_config(keys, leaf->parameters().dump()).hash;
    if (computed != *stamped) {
      judge.add(path, "core_config.hash",
                fmt::format("is {}; the parameters of the metadata have {}", *stamped, computed));
    } else if (!is_published(workload, *leaf, *stamped)) {
      const bool closed = workload.place.division == "closed";
      judge.add(closed ? Severity::kError : Severity::kInfo, path, "core_config.hash",
                fmt::format("is {}: a class that nobody has published{}", *stamped,
                            closed ? "; closed has no new ones" : ", a new one"));
    }
  }
}

void check_metadata(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  if (workload.place.family != "kv_cache" && workload.place.family != "vector_database") return;
  for (const Leaf* leaf : workload.of("run")) {
    if (leaf->metadata_files.size() == 1) continue;
    judge.add(leaf->place.path, "",
              leaf->metadata_files.empty() ? "has no *_metadata.json: no report can read it"
                                           : "has several *_metadata.json: " + join(leaf->metadata_files, ", "));
  }
}

std::multiset<std::string> public_ids(const Document& table) {
  std::multiset<std::string> ids;
  for (size_t i = 0; i < table.root().size(); ++i) {
    if (const auto id = table.root().item(i)["Public ID"].text()) ids.insert(*id);
  }
  return ids;
}

void check_rollup(const Tree& tree, const std::string& submission, Judge& judge) {
  Problems ignored;
  const std::string path = submission + "/results/results.json";
  const Document rollup = tree.json(path, ignored);
  if (!rollup.is_there()) return;
  std::multiset<std::string> below;
  for (const WorkloadPlace& place : tree.workloads(submission, ignored)) {
    const std::string folder = place.family == "training" ? place.path + "/run" : place.path;
    below.merge(public_ids(tree.json(joined(folder, "results.json"), ignored)));
  }
  if (below != public_ids(rollup)) {
    judge.add(
        path, "Public ID",
        fmt::format("the table has {} rows with an id, those of the models have {}, or other ids: run reportgen again",
                    public_ids(rollup).size(), below.size()));
  }
}

void check_ended(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf& leaf : workload.leaves) {
    const auto status = leaf.metadata["exit_status"].number();
    const std::string verification = leaf.metadata["verification"].text_or("");
    if (leaf.has_file("INCOMPLETE")) {
      judge.add(leaf.place.path, "", "has the mark INCOMPLETE: the run never ended");
    } else if (status && *status != 0) {
      judge.add(metadata_path(leaf), "exit_status", fmt::format("is {:g}: the run failed", *status));
    } else if (verification == "INVALID") {
      judge.add(metadata_path(leaf), "verification", "is INVALID: the run broke the rules when it was made");
    }
  }
}

void check_figures(const Tree& tree, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    for (const FigureFinding& finding : check_figures_of(tree, workload.place.family, *leaf)) {
      judge.add(finding.is_wrong ? Severity::kError : Severity::kInfo, joined(leaf->place.path, finding.file),
                finding.key, finding.message);
    }
  }
}

using enum Example::Change;
constexpr std::string_view kAnySummary = "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_100000/summary.json";

const std::vector<Rule>& rules_of_code() {
  static const std::vector<Rule> kRules = {
      {"READ-01",
       "readableFiles",
       "",
       "Every file that a rule reads can be read as what it is, and no link leads out of the tree. (A rule of this "
       "program.)",
       kAlwaysError,
       "leaves such files out without a word, or stops",
       {kAdd, kAnySummary},
       {}},
      {"RUN-01",
       "runEnded",
       "",
       "Every run folder is of a run that ended without failure, and not INVALID. (A rule of this program.)",
       kAlwaysError,
       "doesn't look",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_100000/training_*_metadata.json", "exit_status",
        "0", "6"},
       &check_ended},
      {"CALC-01",
       "figuresRecomputed",
       "",
       "The figures of a summary are those that follow from its lists and from the files of the ranks. (A rule of this "
       "program.)",
       kAlwaysError,
       "doesn't look",
       {kSet, kAnySummary, "metric.train_au_mean_percentage", "95.0", "99.0"},
       &check_figures},
      {"CHECK-01",
       "poolPointerResolution",
       "",
       "Every run folder points to a code image of the tree.",
       kAlwaysError,
       "",
       {kRemove, "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_100000/.mlps-code-image"},
       &check_pointers},
      {"CHECK-02",
       "poolImageSelfConsistency",
       "",
       "A code image is named by its hash, and its files have that hash.",
       kAlwaysError,
       "",
       {kAdd, "code-images/*/more.txt"},
       &check_images},
      {"CHECK-03", "poolOrphanCheck", "", "Every code image belongs to a run.", kAlwaysError, "", {}, &check_orphans},
      {"CHECK-04",
       "poolLegacyCheck",
       "",
       "A pool of code images has its mark; folders code/ are of the time before.",
       kAlwaysError,
       "",
       {kRemove, "code-images/.mlps-image-pool"},
       &check_pools},
      {"PROV-01",
       "leafProvenance",
       "",
       "provenance.json, where the metadata name it, is there and names the image of the run.",
       kErrorAfter,
       "knows no provenance",
       {kSet, "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_100000/training_*_metadata.json",
        "provenance_file", "", "\"provenance.json\""},
       &check_provenance},
      {"EDN-01",
       "rulesEdition",
       "",
       "The edition of the rules that a run was stamped with is known.",
       kErrorAfter,
       "knows no editions",
       {},
       &check_edition},
      {"EDN-02",
       "comparabilityClass",
       "",
       "A stamped run of closed is of a published class; the hash of its class follows from the parameters of its "
       "metadata.",
       kErrorAfter,
       "knows no classes",
       {},
       &check_class},
      {"LEAF-01",
       "runLeafMetadata",
       "",
       "A run folder of kv_cache and vector_database has one *_metadata.json.",
       kErrorAfter,
       "drops such a run from its tables without a word",
       {kRemove, "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/kv_cache_*_metadata.json"},
       &check_metadata},
      {"RPT-01",
       "rollupTableAgreement",
       "",
       "The table of an organisation has the public ids of the tables of its models.",
       kErrorAfter,
       "doesn't look",
       {},
       &check_rollup},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> code_rules() {
  return rules_of_code();
}

}  // namespace mlps::rules
