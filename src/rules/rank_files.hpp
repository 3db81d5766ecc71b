#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/tree.hpp"

namespace mlps::rules {

/// Says that a figure of a run's summary is not the one that follows from other values, or why it was not looked at.
struct FigureFinding {
  bool is_wrong = true;  ///< false: not judged
  std::string file;
  std::string key;
  std::string message;
};

/// Recomputes the figures of summary.json: means and population deviations from its own lists, the lists from the files
/// of the ranks (in training from all of them, in checkpointing from rank 0's, as DLIO makes them); of a search its
/// rate and recall, and what the runner's statistics have. Files of ranks may be of any size: they are read in pieces.
/// The figures of kv_cache have rules of their own.
std::vector<FigureFinding> check_figures_of(const Tree& tree, std::string_view family, const Leaf& leaf);

}  // namespace mlps::rules
