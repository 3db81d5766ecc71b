#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace mlps::gates {

/// The folder is there, or is made now, with at most `levels` of it missing. `word` is what messages call it.
Status make_folder(const std::string& folder, const std::string& word, uint32_t levels);

/// What is only read must be there: E401 if it isn't, E608 if it is no folder.
Status find_folder(const std::string& folder, const std::string& word);

}  // namespace mlps::gates
