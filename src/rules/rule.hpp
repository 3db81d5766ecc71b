#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/tree.hpp"

/// A rule is data and one function: its text, its severity by edition, an example, and the check. Validation, reports
/// and `mlpstorage rules` read the same definition.
namespace mlps::rules {

enum class Severity { kNone, kInfo, kWarning, kError };
std::string_view severity_name(Severity severity);  ///< "ERROR"

/// The versions of the rules of round 3.0 that trees were made and judged by: those until July 2026, those that the
/// results of the round were judged by, and those after the round, which version 4.0 is drafted from.
enum class Edition { kEarly, kRound, kAfter };
inline constexpr std::array<std::string_view, 3> kEditionNames = {"3.0-early", "3.0", "3.0-after"};
inline std::string_view name_of(Edition edition) {
  return kEditionNames[static_cast<size_t>(edition)];
}
/// Returns the edition with this name; "v3.0" is "3.0". E102 with the known ones for another.
Result<Edition> edition_named(std::string_view name);

/// The severity of a finding in the editions, in their order.
using Severities = std::array<Severity, 3>;
inline constexpr Severities kAlwaysError = {Severity::kError, Severity::kError, Severity::kError};
inline constexpr Severities kWarningInRound = {Severity::kError, Severity::kWarning, Severity::kError};
inline constexpr Severities kAlwaysWarning = {Severity::kWarning, Severity::kWarning, Severity::kWarning};
inline constexpr Severities kWarningThroughRound = {Severity::kWarning, Severity::kWarning, Severity::kError};
inline constexpr Severities kErrorSinceRound = {Severity::kNone, Severity::kError, Severity::kError};
inline constexpr Severities kErrorAfter = {Severity::kNone, Severity::kNone, Severity::kError};

/// One change that makes a valid submission break the rule. `path` is one of the tree, where '*' stands for any name,
/// ORG and SYSTEM for those of the submission. The same file with `passes` breaks nothing.
struct Example {
  enum class Change { kNone, kSet, kRemove, kAdd, kRename };
  Change change = Change::kNone;
  std::string_view path = {};
  std::string_view key = {};     ///< kSet: dotted, in a JSON or YAML file; an item of a list by its number
  std::string_view passes = {};  ///< kSet: JSON
  std::string_view fails = {};   ///< kSet: JSON; kRename: the new name
};

struct Rule;

struct Finding {
  const Rule* rule = nullptr;
  Severity severity = Severity::kError;
  std::string path;
  std::string key;  ///< of the file, dotted; empty: the finding is about the file or folder
  std::string message;
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What a judgement is made by.
struct Terms {
  Edition edition = Edition::kRound;
  /// Judges as mlpstorage 3.0.46 did, where that differs from the text of the rules.
  bool as_3046 = false;
  bool skip_output_file = false;   ///< `*output.json` need not be there
  std::string reference_checksum;  ///< MD5 that closed code images must have; empty: none is asked for
};

/// Collects the findings of one rule after the other.
class Judge {
 public:
  explicit Judge(Terms terms) : terms_(std::move(terms)) {}
  const Terms& terms() const { return terms_; }

  void begin(const Rule& rule) { rule_ = &rule; }
  /// Adds a finding of the present rule, unless its edition is silent about it.
  void add(std::string path, std::string key, std::string message);
  /// Adds one with a severity of its own.
  void add(Severity severity, std::string path, std::string key, std::string message);
  /// Adds those of another judge with the same terms.
  void add(std::vector<Finding> findings);
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  Terms terms_;
  const Rule* rule_ = nullptr;
  std::vector<Finding> findings_;
};

/// A check of one workload with its run folders, of one submission ("closed/acme"), or of the whole tree.
/// Names that a folder or file may have.
using Names = std::vector<std::string_view>;
inline bool is_one_of(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

using WorkloadCheck = void (*)(const Tree& tree, const Workload& workload, Judge& judge);
using SubmissionCheck = void (*)(const Tree& tree, const std::string& submission, Judge& judge);
using TreeCheck = void (*)(const Tree& tree, Judge& judge);
using Check = std::variant<WorkloadCheck, SubmissionCheck, TreeCheck>;

/// Says how mlpstorage 3.0.46 judges otherwise than a rule's text. Without words it judges alike.
struct Deviation {
  Deviation(const char* words) : text(words) {}
  Deviation(std::string_view words, bool all = true) : text(words), never_fires(all && !words.empty()) {}
  std::string_view text;
  bool never_fires = !text.empty();  ///< else the check itself asks Terms::as_3046
};

struct Rule {
  std::string_view id;
  std::string_view name;
  std::string_view family = {};  ///< of workloads; empty: of all
  std::string_view text;
  Severities severities = kAlwaysError;
  Deviation differs = "";
  Example example = {};
  Check check;
};

std::span<const Rule> structure_rules();           ///< of a submission
std::span<const Rule> workload_structure_rules();  ///< of the results of a workload
std::span<const Rule> training_data_rules();
std::span<const Rule> training_rules();
std::span<const Rule> checkpointing_rules();
std::span<const Rule> checkpoint_time_rules();
std::span<const Rule> vector_rules();
std::span<const Rule> cache_rules();         ///< what kv_cache ran, and where
std::span<const Rule> cache_client_rules();  ///< its clients and their figures
std::span<const Rule> code_rules();          ///< images, and the integrity of what a run left
std::span<const Rule> provenance_rules();    ///< stamps, manifests, editions, classes

/// Returns all rules in the order in which they are judged.
const std::vector<const Rule*>& all_rules();
/// Returns the rule with this id, in any case of its letters, or nullptr.
const Rule* find_rule(std::string_view id);

/// Returns whether a rule is about the results of a workload, and not about the paperwork of a submission: a row of a
/// report that breaks it is INVALID.
bool judges_results(const Rule& rule);

/// Returns "folder/name", or the name alone in the root.
std::string joined(std::string_view folder, std::string_view name);
/// Returns the relative path of a leaf's metadata file, for findings; of the leaf where there is none.
std::string metadata_path(const Leaf& leaf);
std::string summary_path(const Leaf& leaf);

}  // namespace mlps::rules
