#include "cli/version.hpp"

#include <fmt/format.h>

#include "build_id.hpp"

namespace mlps::cli {

std::string_view version_text() {
  return MLPS_VERSION;
}

std::string_view build_id() {
  return MLPS_BUILD_ID;
}

std::string version_line() {
  return fmt::format("mlpstorage {} (build {}, rules {})", version_text(), build_id(), kRulesEdition);
}

}  // namespace mlps::cli
