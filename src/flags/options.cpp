#include "flags/options.hpp"

#include <algorithm>

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

bool BenchmarkOptions::gives_param(std::string_view key) const {
  return std::any_of(common.params.begin(), common.params.end(), [&](const auto& param) { return param.first == key; });
}

std::string_view protocol_name(const BenchmarkOptions& options) {
  return options.protocol ? storage_word(*options.protocol) : std::string_view();
}

}  // namespace mlps::cli
