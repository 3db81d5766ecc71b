#pragma once

#include <string_view>

#include "base/error.hpp"
#include "world/host_facts.hpp"
#include "world/transport.hpp"

namespace mlps::world {

/// A host's facts on their way to process 0: some ten KiB, with hundreds of processors some hundred.
Bytes pack(const HostFacts& facts);

/// The facts exactly as they were packed. Other bytes are E503.
Result<HostFacts> unpack_host_facts(std::string_view bytes);

}  // namespace mlps::world
