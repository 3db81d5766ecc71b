#pragma once

#include <string>
#include <string_view>

namespace mlps {

inline constexpr std::string_view kRulesEdition = "3.0";

std::string_view version_text();  ///< "0.1.0"
/// Returns the git hash of the source tree, with "-modified" if the tree differs from that commit; "unknown" outside
/// git.
std::string_view build_id();

/// Returns the 40 digits of the commit of the source tree; empty outside git, or if the tree differs from its commit.
std::string_view commit_id();

/// Returns the first 16 digits of the linker's build id, which differs for any two differing binaries; "unknown" if the
/// linker wrote none.
std::string binary_id();

/// Returns the name and the version of the compiler that built this program.
std::string_view compiler();

/// Returns the path of this program's file; empty if the system does not tell it.
std::string binary_path();

/// Returns "mlpstorage 0.1.0 (build 1234567890ab, rules 3.0)".
std::string version_line();

}  // namespace mlps
