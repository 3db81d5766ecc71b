#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "world/transport.hpp"

namespace mlps::world {

/// Collective: brings data that are too large for one message to process 0, piece by piece. Every process calls `next`
/// for its next piece, of a few MiB at most, until one is empty; process 0 calls `take` with the pieces of every
/// process, including its own, in the order of each process. Holds one piece per process in memory. An error of either
/// function fails the job.
Status gather_pieces(Transport& transport, const std::function<Result<Bytes>()>& next,
                     const std::function<Status(uint32_t process, std::string_view piece)>& take);

}  // namespace mlps::world
