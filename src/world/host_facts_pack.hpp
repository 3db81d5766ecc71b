#pragma once

#include <string_view>

#include "base/error.hpp"
#include "world/host_facts.hpp"
#include "world/transport.hpp"

namespace mlps::world {

/// Packs a host's facts for process 0: some ten KiB, with hundreds of processors some hundred.
Bytes pack(const HostFacts& facts);

/// Returns the facts exactly as they were packed; E503 for other bytes.
Result<HostFacts> unpack_host_facts(std::string_view bytes);

}  // namespace mlps::world
