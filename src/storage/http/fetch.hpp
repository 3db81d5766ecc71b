#pragma once

#include <chrono>

#include "base/error.hpp"
#include "storage/http/engine.hpp"

namespace mlps::http {

/// Sends one request and waits for its answer: for tokens and other small things that are asked before or beside the
/// requests of a run, on a connection of its own. `exchange` is filled by the caller (Host among its headers). Success
/// means that an answer of any status arrived in full; E601 says why none did, and names the origin. Blocks for at most
/// `limit`.
Status fetch(const EngineSettings& settings, Exchange& exchange, std::chrono::milliseconds limit);

}  // namespace mlps::http
