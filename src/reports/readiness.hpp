#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "reports/reportgen.hpp"

/// What stands between the results of a tree and a submission.
namespace mlps::reports {

/// The first that fits: runs are missing; a run has to go, or a rule about results is broken; papers are missing or
/// wrong; nothing.
enum class Token { kShort, kInvalid, kPaperwork, kReady };
inline constexpr std::array<std::string_view, 4> kTokens = {"short", "invalid", "paperwork", "ready"};
inline std::string_view name_of(Token token) {
  return kTokens[static_cast<size_t>(token)];
}

/// Says how far one result is: a row of the tables, or what may become one.
struct Standing {
  std::string division, orgname, system, benchmark, model, accelerator;
  size_t runs = 0;
  size_t needed = 0;
  Token token = Token::kReady;
  std::vector<std::string> leaves = {};
  std::vector<rules::Finding> findings = {};  ///< errors that stand in its way
};

struct Readiness {
  std::string tree;
  std::vector<Standing> results = {};
  std::vector<rules::Finding> problems = {};  ///< errors about the tree or its organisations, not about one result
  size_t warnings = 0;

  /// Returns whether there is a result, all are ready, and nothing is wrong with the tree.
  bool is_submittable() const;
};

/// Judges a tree by the rules, and says of each result how far it is. Writes nothing. Tables and manifests are no
/// condition: `submit` writes them anew. Neither is whatif/, which is no part of a submission. Fails as generate() and
/// rules::validate() do.
Result<Readiness> readiness_of(const rules::Tree& tree);

std::string readiness_text(const Readiness& readiness, bool with_runs);
Json readiness_json(const Readiness& readiness);

}  // namespace mlps::reports
