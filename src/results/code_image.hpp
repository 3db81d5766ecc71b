#pragma once

#include <string>

#include "base/error.hpp"

/// The code image: which build of this program made the results of a tree, as mlpstorage 3.0 keeps copies of its
/// source.
namespace mlps::results {

inline constexpr const char* kCodeImagePointer = ".mlps-code-image";  ///< of a run folder

/// Returns the text of a pointer to the image of this program: "md5-tree-v2:" and 32 hexadecimal digits.
std::string code_image_pointer();

/// Makes `<results-dir>/code-images/code-<8 digits>` with the description of this build, unless it is there. Processes
/// that do so at once leave one image. Fails with the error of the system.
Status store_code_image(const std::string& results_dir);

}  // namespace mlps::results
