#pragma once

#include <string>
#include <string_view>

namespace mlps::cli {

inline constexpr std::string_view kRulesEdition = "3.0";

std::string_view version_text();  ///< "0.1.0"
/// Git hash of the source tree, "-modified" after it if the tree differed from that commit; "unknown" outside git.
std::string_view build_id();

/// The first 16 digits of the linker's build id: two files that differ in anything have another one. "unknown" where
/// the linker left none.
std::string binary_id();

/// "mlpstorage 0.1.0 (build 1234567890ab, rules 3.0)".
std::string version_line();

}  // namespace mlps::cli
