#pragma once

#include <chrono>
#include <memory>

namespace mlps::storage {

class OpLog;

/// How the requests of a store are made, as the command line has it; where the servers are, variables say.
struct ServerOptions {
  /// How long a request is repeated while its server is away, fails or asks for less.
  std::chrono::seconds patience{60};
  std::shared_ptr<OpLog> op_log = nullptr;  ///< keeps every request, attempt by attempt; null: nothing does
};

}  // namespace mlps::storage
