#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "results/file_list.hpp"
#include "rules/rank_files.hpp"
#include "rules/rule.hpp"
#include "rules/tree_digest.hpp"

/// Rules about code images, and the integrity of what a run left.
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
  }
}

// Closed runs are of the code that the rules name, where a hash of it is given.
void check_reference(const Tree& /*tree*/, const Workload& workload, Judge& judge) {
  const std::string& wanted = judge.terms().reference_checksum;
  if (wanted.empty() || workload.place.division != "closed") return;
  for (const Leaf& leaf : workload.leaves) {
    if (!is_pointer(leaf.pointer) || leaf.pointer.substr(kAlgorithm.size()) == wanted) continue;
    judge.add(joined(leaf.place.path, ".mlps-code-image"), "",
              fmt::format("is {}; --reference-checksum is {}", leaf.pointer.substr(kAlgorithm.size()), wanted));
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

// Returns whether a file was replaced by the note of those who cut it because of its size.
bool is_pruned(const Tree& tree, const std::string& path) {
  Problems ignored;
  return tree.text(path, ignored) == "PRUNED BY STAFF";
}

// The paths of all files of a run folder that a list could have, relative to it.
void add_files(const Tree& tree, const std::string& root, const std::string& folder, unsigned levels,
               std::set<std::string>& found) {
  Problems ignored;
  for (const Entry& entry : tree.list(joined(root, folder), ignored)) {
    const std::string path = joined(folder, entry.name);
    if (entry.is_folder && levels > 0) add_files(tree, root, path, levels - 1, found);
    if (!entry.is_folder && results::is_listed_file(path)) found.insert(path);
  }
}

void check_left_files(const Tree& tree, const Workload& workload, Judge& judge) {
  constexpr unsigned kLevels = 4;  // option_1/trial_0/rank_0, and one more
  for (const Leaf& leaf : workload.leaves) {
    if (!leaf.has_file(results::kFileListFile)) continue;
    const std::string list = joined(leaf.place.path, results::kFileListFile);
    Problems problems;
    const Document file = tree.json(list, problems);
    const Node listed = file["files"];
    if (!listed.is_object()) {
      judge.add(list, "files", problems.empty() ? "is no list of files" : problems.front().message);
      continue;
    }
    std::set<std::string> found;
    add_files(tree, leaf.place.path, "", kLevels, found);
    for (const std::string& name : listed.keys()) {
      const std::string path = joined(leaf.place.path, name);
      if (found.erase(name) == 0) {
        judge.add(path, "", "is missing: the run wrote it");
      } else if (is_pruned(tree, path)) {
        judge.add(Severity::kInfo, path, "", "was cut because of its size");
      } else if (const auto digest = results::sha256_of_file(tree.absolute(path)); !digest) {
        judge.add(path, "", digest.error().message);
      } else if (*digest != listed[name].text_or("")) {
        judge.add(path, "", "isn't what the run wrote: it was changed afterwards");
      }
    }
    for (const std::string& name : found) {
      if (name.ends_with(".json"))
        judge.add(joined(leaf.place.path, name), "", "isn't of the run: it was added afterwards");
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
      {"FILES-01",
       "filesAsTheRunLeftThem",
       "",
       "Where a run left the digests of its files (mlpstorage_files.json), they are there and as it wrote them, and no "
       ".json was added. (A rule of this program.)",
       kAlwaysError,
       "doesn't look",
       {},
       &check_left_files},
      {"CALC-01",
       "figuresRecomputed",
       "",
       "The figures of a summary are those that follow from its lists and from the files of the ranks. (A rule of this "
       "program.)",
       kAlwaysError,
       "doesn't look",
       {kSet, kAnySummary, "metric.train_au_mean_percentage", "95.0", "99.0"},
       &check_figures},
      {"2.1.6",
       "codeDirectoryContents",
       "",
       "Every run of closed is of the code whose hash --reference-checksum gives.",
       kAlwaysError,
       "",
       {},
       &check_reference},
      {"3.6.1",
       "trainingClosedSubmissionChecksum",
       "training",
       "The same of training: in the round it was a rule of its own.",
       {Severity::kError, Severity::kError, Severity::kNone},
       "",
       {},
       &check_reference},
      {"5.6.1",
       "vdbClosedSubmissionChecksum",
       "vector_database",
       "The same of vector_database: in the round it was a rule of its own.",
       {Severity::kError, Severity::kError, Severity::kNone},
       "",
       {},
       &check_reference},
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
      {"CHECK-03",
       "poolOrphanCheck",
       "",
       "Every code image belongs to a run.",
       kAlwaysError,
       "",
       {kAdd, "code-images/code-00000000/"},
       &check_orphans},
      {"CHECK-04",
       "poolLegacyCheck",
       "",
       "A pool of code images has its mark; folders code/ are of the time before.",
       kAlwaysError,
       "",
       {kRemove, "code-images/.mlps-image-pool"},
       &check_pools},
      {"RPT-01",
       "rollupTableAgreement",
       "",
       "The table of an organisation has the public ids of the tables of its models.",
       kErrorAfter,
       "doesn't look",
       {kSet, "closed/ORG/results/results.json", "0.Public ID", "\"v3.0-0001\"", "\"v3.0-0099\""},
       &check_rollup},
  };
  return kRules;
}

}  // namespace

std::span<const Rule> code_rules() {
  return rules_of_code();
}

}  // namespace mlps::rules
