#pragma once

#include <vector>

#include "base/error.hpp"

namespace mlps {

/// Logs every failure, one after the other, and returns the process status, which the first one decides.
int report_failures(const std::vector<Error>& errors);

}  // namespace mlps
