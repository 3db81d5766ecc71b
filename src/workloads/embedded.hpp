#pragma once

#include <span>
#include <string_view>

namespace mlps::workloads {

/// A file of workloads/, embedded in the program by the build.
struct EmbeddedFile {
  std::string_view name;  ///< "llama3_8b.yaml"
  std::string_view text;
};

/// Returns all embedded files; they live as long as the program.
std::span<const EmbeddedFile> embedded_files();

}  // namespace mlps::workloads
