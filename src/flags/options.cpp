#include "flags/options.hpp"

namespace mlps::cli {

std::string_view mode_name(Mode mode) {
  switch (mode) {
    case Mode::kClosed:
      return "closed";
    case Mode::kOpen:
      return "open";
    case Mode::kWhatif:
      return "whatif";
  }
  return "?";
}

std::optional<Mode> mode_of(std::string_view name) {
  for (const Mode mode : {Mode::kClosed, Mode::kOpen, Mode::kWhatif}) {
    if (mode_name(mode) == name) return mode;
  }
  return std::nullopt;
}

std::string_view protocol_name(const BenchmarkOptions& options) {
  return options.protocol ? storage_word(*options.protocol) : std::string_view();
}

}  // namespace mlps::cli
