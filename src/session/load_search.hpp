#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "flags/options.hpp"
#include "flags/values.hpp"
#include "results/run_folder.hpp"
#include "run/edge_search.hpp"
#include "session/process_group.hpp"

/// A command whose load is "max": runs at several loads, each with a run folder of its own, until the edge is found.
namespace mlps::cli {

/// What one run of a search came to.
struct SearchedRun {
  int status = 0;                       ///< of the process, as the run alone would have ended
  std::optional<run::EdgeTrial> trial;  ///< nothing if the run measured nothing that counts
  std::string limit;                    ///< what kept it from more, or why it measured nothing, in words
  std::string folder;                   ///< its run folder
};

/// Says what is searched for, and in which words.
struct LoadSearch {
  std::string flag;                  ///< "--num-accelerators"
  std::string loads;                 ///< what is counted: "accelerators"
  std::string subject;               ///< "unet3d on b200"
  std::string done = "fed";          ///< what becomes of a load that is held, "accelerators are fed"
  std::string measure;               ///< what is compared: "AU"
  std::string unit;                  ///< of it and of the threshold: "%"
  double threshold = 0;              ///< at least so much is needed
  uint64_t step = 1;                 ///< loads are multiples of it; at least 1
  uint64_t first = 1;                ///< load of the first run
  uint64_t bound = 1;                ///< no run asks for more; at least `step`
  std::string bound_because;         ///< why: "with more, the data set has too few steps"
  results::RunFolderRequest folder;  ///< model and benchmark; the search gets a folder beside those of its runs
};

/// Searches for the edge with `run_at`, which is collective and returns its outcome in process 0, and shows and records
/// it: a line for each run, the answer with its curve, and `search.json` in a folder of its own. Returns the process
/// status: success however the edge lies, else that of the run that failed. Collective.
int search_load(const BenchmarkOptions& options, const Environment& environment, ProcessGroup& group,
                const LoadSearch& search, const std::function<SearchedRun(uint64_t load)>& run_at);

/// Adds an error for each thing on the line that doesn't go with a search, which `flag` ("--num-users max") asks for:
/// another command than run, and the flags whose one file or repetition would be of many runs.
void check_search_line(std::string_view flag, const Reader& reader, const BenchmarkOptions& options,
                       std::vector<Error>& errors);

inline constexpr const char* kSearchFile = "search.json";

/// Holds what a search came to, with what was known of its runs; in the order made, as `answer.points`. Loads are in
/// full.
struct FinishedSearch {
  LoadSearch search;
  run::EdgeAnswer answer;
  std::vector<SearchedRun> runs;
  std::string folder;  ///< of the search
};

/// Returns the answer in one sentence.
std::string search_headline(const FinishedSearch& finished);

/// Returns the answer as text of at most 80 columns: what was found, why it ended there, how sure that is, the curve.
std::string search_text(const FinishedSearch& finished, bool unicode);

/// Has search_load() call `use` when its files are written. What `use` does changes no result.
void on_finished_search(std::function<void(const FinishedSearch& finished)> use);

}  // namespace mlps::cli
