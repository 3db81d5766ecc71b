#pragma once

#include <string>

namespace mlps::cli {

/// Returns lines that tell how the program was built and what it runs with: commit, compiler, the versions of libraries
/// that are loaded, the processor's instruction sets that it uses, and the plug-ins for MPI beside it.
std::string build_info();

}  // namespace mlps::cli
