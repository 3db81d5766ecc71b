#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fields.hpp"
#include "gates/gates.hpp"
#include "world/transport.hpp"

namespace mlps::gates {

/// The failures, warnings and memory demand that the gates found in one process.
struct Findings {
  std::vector<Error> failures;
  std::vector<std::string> warnings;
  uint64_t buffer_bytes = 0;  ///< as requested
  std::optional<uint64_t> available_bytes;
  std::string available_by;  ///< who says so
};
constexpr auto fields_of(Of<Findings>) {
  return std::tuple(kept("", &Findings::failures), kept("", &Findings::warnings), kept("", &Findings::buffer_bytes),
                    kept("", &Findings::available_bytes), kept("", &Findings::available_by));
}
static_assert(lists_every_member<Findings>());
/// What world::pack() calls them.
inline constexpr const char* kFindings = "findings of the gates";

/// Returns a report with the failures and warnings of all processes; `findings` are ordered as `members`. Memory is
/// checked per host, since the processes of a host share its memory.
Report merge(const std::vector<world::Member>& members, std::vector<Findings> findings);

}  // namespace mlps::gates
