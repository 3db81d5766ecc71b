#pragma once

#include <string>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/grammar.hpp"

/// The results directory and the organisation that it belongs to. results/ writes what runs leave in it.
namespace mlps::cli {

inline constexpr std::string_view kSentinelName = "mlperf-results.yaml";

/// The owner of a results directory that `try` or a run in whatif mode has made. Nothing there can be submitted.
inline constexpr std::string_view kNoOrganisation = "no-organisation";

/// Returns the organisation `results_dir` belongs to, from its sentinel; a plain name. E101 with the init command to
/// type if there is no sentinel, E104 or E102 if it is damaged.
Result<std::string> read_sentinel(const std::string& results_dir);

/// Makes `path`, which is absolute, a results directory of `orgname`, unless it is one already, of whatever
/// organisation. Refuses what init_results_dir() refuses, also where it is to check only.
Status make_results_dir(const std::string& path, std::string_view orgname, bool only_check = false);

/// Tells what init did.
struct InitOutcome {
  std::string path;          ///< absolute
  bool created = false;      ///< false: it belonged to this organisation before
  std::string replaced;      ///< the default until now, where it was another one
  std::string recorded;      ///< the per-user file that now names it as the default; empty if that failed
  std::string not_recorded;  ///< why not
};

/// Claims `path` for `orgname` by creating the sentinel, exactly once, also among processes. One of kNoOrganisation
/// becomes that of `orgname`; what ran there stays as it is, below whatif/. An empty `path` means
/// ~/mlpstorage-results. Refuses, with E102 or E401 and the next step: a missing parent, a file, a folder with other
/// things in it, a folder of another organisation, a name that can't be a folder's.
Result<InitOutcome> init_results_dir(std::string_view orgname, std::string_view path, const Grammar& grammar,
                                     const Environment& environment);

}  // namespace mlps::cli
