#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flags/grammar.hpp"

/// Command lines that people can copy. They stand here only: help, the manual page and `mlpstorage examples` show them,
/// and a test runs each as it stands.
namespace mlps::cli {

struct Example {
  std::string_view topic;  ///< "Start here"
  std::string_view line;   ///< as typed, "mlpstorage try /mnt/data"
  std::string_view text;   ///< what it does
};

std::span<const Example> examples();

/// Returns the examples of a command, or of all commands below words that lead to some: by its words, whatever the mode
/// and the model.
std::vector<const Example*> examples_of(const std::vector<std::string>& words);

/// Returns all examples by topic, for a screen of `width` columns.
std::string examples_text(size_t width);

}  // namespace mlps::cli
