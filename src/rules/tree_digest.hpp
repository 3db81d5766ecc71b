#pragma once

#include <string>

#include "base/error.hpp"

namespace mlps::rules {

/// Returns the digest md5-tree-v2 of a folder, as 32 hexadecimal digits: MD5 over path and content of every file, in
/// the order of the paths' bytes, without links, and without what version control, editors and Python leave. Reads the
/// files in pieces. Fails with the error of the system.
Result<std::string> tree_digest(const std::string& folder);

}  // namespace mlps::rules
