#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// The accelerators that can be simulated.
namespace mlps::cli {

inline constexpr std::string_view kAccelerators = "b200|mi355";      ///< in every mode
inline constexpr std::string_view kOlderAccelerators = "h100|a100";  ///< in whatif only

/// Returns the memory of one accelerator in GB, as rule 4.3.4 counts it; nothing for a type that is not known.
constexpr std::optional<uint32_t> accelerator_memory_gb(std::string_view type) {
  if (type == "b200") return 180;
  if (type == "mi355") return 288;
  if (type == "h100" || type == "a100") return 80;
  return std::nullopt;
}

}  // namespace mlps::cli
