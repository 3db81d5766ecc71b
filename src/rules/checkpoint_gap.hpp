#pragma once

#include <optional>
#include <string>

#include "rules/tree.hpp"

namespace mlps::rules {

/// Holds the time between a run that writes checkpoints and the one that reads them, and which values it is made from.
struct CheckpointGap {
  std::optional<double> seconds;
  std::string end_origin;    ///< key of the end of the writing run
  std::string start_origin;  ///< key of the start of the reading run
  std::string why_unknown;   ///< where there are no seconds
};

/// Returns that gap by the moments at which the programs started and ended, else by those of their measurements.
CheckpointGap gap_between(const Leaf& writer, const Leaf& reader);

}  // namespace mlps::rules
