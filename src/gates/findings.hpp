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

/// What the gates find in one process.
struct Findings {
  std::vector<Error> failures;
  std::vector<std::string> warnings;
  uint64_t buffer_bytes = 0;  ///< as requested
  std::optional<uint64_t> available_bytes;
};

world::Bytes pack(const Findings& findings);
/// E503 for bytes that are no findings.
Result<Findings> unpack_findings(std::string_view bytes);

/// The failures and warnings of all processes' findings, by index, as Report has them; with memory judged by host, for
/// several processes share what their host has.
Report merge(const std::vector<world::Member>& members, std::vector<Findings> findings);

}  // namespace mlps::gates
