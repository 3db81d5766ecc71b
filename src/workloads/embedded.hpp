#pragma once

#include <span>
#include <string_view>

namespace mlps::workloads {

/// A file of workloads/ as it was when the program was built.
struct EmbeddedFile {
  std::string_view name;  ///< "llama3_8b.yaml"
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace mlps::workloads
