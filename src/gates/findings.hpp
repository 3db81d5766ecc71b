#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "gates/gates.hpp"
#include "world/transport.hpp"

namespace mlps::gates {

/// The failures, warnings and memory demand that the gates found in one process.
struct Findings {
  std::vector<Error> failures;
  std::vector<std::string> warnings;
  uint64_t buffer_bytes = 0;  ///< as requested
  std::optional<uint64_t> available_bytes;
};

world::Bytes pack(const Findings& findings);
/// Fails with E503 if `bytes` is not a packed Findings.
Result<Findings> unpack_findings(std::string_view bytes);

/// Returns a report with the failures and warnings of all processes; `findings` are ordered as `members`. Memory is
/// checked per host, since the processes of a host share its memory.
Report merge(const std::vector<world::Member>& members, std::vector<Findings> findings);

}  // namespace mlps::gates
