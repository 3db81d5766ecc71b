#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "benchmarks/checkpointing/results/class_keys.hpp"
#include "benchmarks/kvcache/results/files.hpp"
#include "benchmarks/training/results/class_keys.hpp"
#include "results/core_config.hpp"
#include "rules/editions.hpp"
#include "rules/rule.hpp"

/// Rules PROV, EDN and LEAF-01: stamps of runs, manifests of submissions, editions and classes.
namespace mlps::rules {
namespace {

constexpr std::string_view kNotKnown = "unknown";

constexpr std::array<ComparabilityClass, 11> kClasses = {
    {{"unet3d-b200-A", "training", "unet3d", "b200", "0d3ad0dec188becd"},
     {"unet3d-b200-A", "training", "unet3d", "b200", "f636f5a57473fca2"},
     {"retinanet-b200-A", "training", "retinanet", "b200", "20c73f53486caba0"},
     {"retinanet-mi355-A", "training", "retinanet", "mi355", "66c43604eb650987"},
     {"llama3-8b-A", "checkpointing", "llama3-8b", "", "68df04b7240e3fb0"},
     {"llama3-70b-A", "checkpointing", "llama3-70b", "", "3c53fe70d64f91d4"},
     {"llama3-405b-A", "checkpointing", "llama3-405b", "", "7adcfa87a5c4c8e6"},
     {"llama3-1t-A", "checkpointing", "llama3-1t", "", "45fd627ad9dc5f4c"},
     {"llama3.1-8b-A", "kv_cache", "llama3.1-8b", "", "04b508c33b9e34c8"},
     {"milvus-diskann-A", "vector_database", "milvus/DISKANN", "", "ca2c35c3ac5e1435"},
     {"milvus-diskann-B", "vector_database", "milvus/DISKANN", "", "dc1cbde618673c2f"}}};

constexpr std::array<std::string_view, 6> kSearchKeys = {"database.database",   "index.index_type",
                                                         "dataset.num_vectors", "dataset.dimension",
                                                         "benchmark.recall_k",  "benchmark.search_limit"};
constexpr results::ClassKeys kSearchClass = {"vector_database@1", kSearchKeys, {}};

// The commits of DLIO that results of closed in round 3.0 ran on.
constexpr std::array<std::string_view, 10> kDlioCommits = {
    "edaf4bb3d6343ef2fb6b9f6dbafa6102032ae8bf", "24b13d7630a12e3d08624e5db254694a09f71599",
    "a7d56e73ed4630e47f89720436290a23c0f94b6c", "f6796ed281e39ccc83a450e2b1f21b9c909d8fd0",
    "252a54b18d113541e1e8e24832921fac0a7f2b96", "86945a7a203912435774e0972f6350221446229e",
    "c338e07412350df4d72279be985ff31b82407a80", "95c6a9d46a2a072b7f1455b65b3a5e22602b53e5",
    "17d982a3c7842355c25787c97f636a9f6a474caa", "21c0723de897add728158943d369abd4b333f7dc"};

const results::ClassKeys* keys_of(std::string_view family) {
  if (family == "training") return &results::kTrainingClass;
  if (family == "checkpointing") return &results::kCheckpointClass;
  if (family == "kv_cache") return &results::kKvCacheClass;
  return family == "vector_database" ? &kSearchClass : nullptr;
}

std::string stamp_path(const Leaf& leaf) {
  return joined(leaf.place.path, "provenance.json");
}

void check_stamp(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf& leaf : workload.leaves) {
    if (!leaf.has_file("provenance.json")) {
      if (leaf.metadata["provenance_file"].text())
        judge.add(metadata_path(leaf), "provenance_file", "names a file that isn't there");
      continue;
    }
    const std::string image = leaf.provenance.at("tool.code_image").text_or("");
    if (leaf.provenance["schema"].text_or("") != "mlps-run-provenance/1") {
      judge.add(stamp_path(leaf), "schema", "isn't mlps-run-provenance/1");
    } else if (!leaf.pointer.empty() && image != kNotKnown && leaf.pointer.find(image) == std::string::npos &&
               image.find(leaf.pointer) == std::string::npos) {
      judge.add(stamp_path(leaf), "tool.code_image", fmt::format("is {}; .mlps-code-image is {}", image, leaf.pointer));
    }
  }
}

// The run folders of a submission, relative to it.
std::set<std::string> leaves_of(const Tree& tree, const std::string& submission) {
  std::set<std::string> paths;
  Problems ignored;
  for (const WorkloadPlace& place : tree.workloads(submission, ignored)) {
    for (const LeafPlace& leaf : place.leaves) paths.insert(leaf.path.substr(submission.size() + 1));
  }
  return paths;
}

void check_listed_runs(const Tree& tree, const std::string& submission, const Document& manifest, Judge& judge) {
  const std::string path = joined(submission, "submission.yaml");
  const std::string edition = declared_edition(tree, submission);
  std::set<std::string> missing = leaves_of(tree, submission);
  for (size_t i = 0; i < manifest["runs"].size(); ++i) {
    const std::string leaf = manifest["runs"].item(i)["leaf"].text_or("");
    if (missing.erase(leaf) == 0) {
      judge.add(path, fmt::format("runs.{}.leaf", i), fmt::format("is '{}', no run folder, or one named twice", leaf));
      continue;
    }
    Problems ignored;
    const Document stamp = tree.json(fmt::format("{}/{}/provenance.json", submission, leaf), ignored);
    const std::string stamped = stamp["rules_edition"].text_or(kNotKnown);
    if (stamped != kNotKnown && !edition.empty() && stamped != edition) {
      judge.add(path, "rules_edition", fmt::format("is {}; the run {} is stamped {}", edition, leaf, stamped));
    }
  }
  for (const std::string& leaf : missing) judge.add(path, "runs", fmt::format("lacks the run folder {}", leaf));
}

void check_manifest(const Tree& tree, const std::string& submission, Judge& judge) {
  const std::string path = joined(submission, "submission.yaml");
  Problems problems;
  const Document manifest = tree.yaml(path, problems);
  for (const Problem& problem : problems) judge.add(problem.path, "", problem.message);
  if (!manifest.is_there()) return;
  if (manifest["schema"].text_or("") != "mlps-submission-manifest/1") {
    return judge.add(path, "schema", "isn't mlps-submission-manifest/1");
  }
  if (!manifest["runs"].is_list()) return judge.add(path, "runs", "is missing, or no list");
  if (declares_other_edition(tree, submission)) return;  // EDN-04 says so
  check_listed_runs(tree, submission, manifest, judge);
}

void check_edition(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf& leaf : workload.leaves) {
    const auto edition = leaf.provenance["rules_edition"].text();
    if (!edition || *edition == kNotKnown) continue;
    if (std::find(kPublishedEditions.begin(), kPublishedEditions.end(), *edition) != kPublishedEditions.end()) continue;
    judge.add(stamp_path(leaf), "rules_edition",
              fmt::format("is {}, which isn't known; known are {}", *edition, join(kPublishedEditions, ", ")));
  }
}

void check_class(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const auto stamped = leaf->provenance.at("core_config.hash").text();
    if (!stamped || *stamped == kNotKnown) continue;
    const std::string computed = core_hash_of(workload.place.family, *leaf);
    const std::string accelerator = leaf->metadata["accelerator"].text_or("");
    const bool is_known = class_of(workload.place.family, workload.place.model, accelerator, *stamped) != nullptr;
    if (computed != *stamped && computed != kNotKnown) {
      judge.add(stamp_path(*leaf), "core_config.hash",
                fmt::format("is {}; the parameters of the metadata have {}", *stamped, computed));
    } else if (!is_known) {
      const bool closed = workload.place.division == "closed";
      judge.add(closed ? Severity::kError : Severity::kInfo, stamp_path(*leaf), "core_config.hash",
                fmt::format("is {}: a class that nobody has published{}", *stamped,
                            closed ? "; closed has no new ones" : ", a new one"));
    }
  }
}

void check_dlio(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  for (const Leaf* leaf : workload.of("run")) {
    const std::string commit = leaf->provenance.at("dlio.commit").text_or(kNotKnown);
    if (commit == kNotKnown || std::find(kDlioCommits.begin(), kDlioCommits.end(), commit) != kDlioCommits.end()) {
      continue;
    }
    judge.add(stamp_path(*leaf), "dlio.commit",
              fmt::format("is {}, none of the {} that results of the round ran on", commit, kDlioCommits.size()));
  }
}

void check_checkable(const Tree& tree, const std::string& submission, Judge& judge) {
  if (!declares_other_edition(tree, submission)) return;
  judge.add(joined(submission, "submission.yaml"), "rules_edition",
            fmt::format("is {}: trees of that edition have another form and are judged by its own tool; the runs of "
                        "this submission are not judged",
                        declared_edition(tree, submission)));
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

using enum Example::Change;
constexpr std::string_view kStamp = "closed/ORG/results/SYSTEM/training/unet3d/run/20260701_100000/provenance.json";
constexpr std::string_view kManifest = "closed/ORG/submission.yaml";
constexpr Severities kWarningAfter = {Severity::kNone, Severity::kNone, Severity::kWarning};

const std::vector<Rule>& rules_of_provenance() {
  static const std::vector<Rule> kRules = {
      {"PROV-01",
       "leafProvenance",
       "",
       "provenance.json, where the metadata name it, is there and names the image of the run.",
       kErrorAfter,
       "knows no provenance",
       {kRemove, kStamp},
       &check_stamp},
      {"PROV-02",
       "submissionManifest",
       "",
       "submission.yaml, where there is one, lists just the run folders of the submission, and has the edition that "
       "they are stamped with.",
       kErrorAfter,
       "knows no manifest",
       {kSet, kManifest, "runs.0.leaf", "", "\"results/nowhere\""},
       &check_manifest},
      {"EDN-01",
       "rulesEdition",
       "",
       "The edition of the rules that a run was stamped with is known.",
       kErrorAfter,
       "knows no editions",
       {kSet, kStamp, "rules_edition", "\"3.0\"", "\"9.9\""},
       &check_edition},
      {"EDN-02",
       "comparabilityClass",
       "",
       "A stamped run of closed is of a published class; the hash of its class follows from the parameters of its "
       "metadata.",
       kErrorAfter,
       "knows no classes",
       {kSet, kStamp, "core_config.hash", "\"0d3ad0dec188becd\"", "\"0123456789abcdef\""},
       &check_class},
      {"EDN-03",
       "dlioRevision",
       "",
       "A stamped run of DLIO is of a revision that results of the round ran on.",
       kWarningAfter,
       "knows no revisions",
       {kSet, kStamp, "dlio.commit", "\"edaf4bb3d6343ef2fb6b9f6dbafa6102032ae8bf\"", "\"abc\""},
       &check_dlio},
      {"EDN-04",
       "checkableEdition",
       "",
       "submission.yaml declares an edition whose trees can be judged here; else the runs are not judged.",
       kAlwaysError,
       "knows no editions",
       {kSet, kManifest, "rules_edition", "\"3.0\"", "\"2.0\""},
       &check_checkable},
      {"LEAF-01",
       "runLeafMetadata",
       "",
       "A run folder of kv_cache and vector_database has one *_metadata.json.",
       kErrorAfter,
       "drops such a run from its tables without a word",
       {kRemove, "closed/ORG/results/SYSTEM/kv_cache/llama3.1-8b/run/*/kv_cache_*_metadata.json"},
       &check_metadata},
  };
  return kRules;
}

}  // namespace

std::string declared_edition(const Tree& tree, std::string_view submission) {
  Problems ignored;
  const Document manifest = tree.yaml(joined(submission, "submission.yaml"), ignored);
  const Node edition = manifest["rules_edition"];
  const std::string named = edition.is_number() ? fmt::format("{:.1f}", *edition.number()) : edition.text_or("");
  return named == kNotKnown ? std::string() : named;
}

bool declares_other_edition(const Tree& tree, std::string_view submission) {
  const std::string named = declared_edition(tree, submission);
  return !named.empty() && !edition_named(named);
}

const ComparabilityClass* class_of(std::string_view family, std::string_view model, std::string_view accelerator,
                                   std::string_view hash) {
  for (const ComparabilityClass& known : kClasses) {
    if (known.family == family && known.model == model && known.hash == hash &&
        (known.accelerator.empty() || known.accelerator == accelerator)) {
      return &known;
    }
  }
  return nullptr;
}

std::string core_hash_of(std::string_view family, const Leaf& leaf) {
  const results::ClassKeys* keys = keys_of(family);
  return keys == nullptr ? std::string(kNotKnown) : results::core_config(*keys, leaf.parameters().dump()).hash;
}

std::span<const Rule> provenance_rules() {
  return rules_of_provenance();
}

}  // namespace mlps::rules
