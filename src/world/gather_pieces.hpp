#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "world/transport.hpp"

namespace mlps::world {

/// Collective: brings what is too large for one message to process 0, piece by piece. In every process `next` is asked
/// for the next piece, of a few MiB at most, until one is empty; in process 0 `take` gets the pieces of every process,
/// its own too, each process's in order. Memory is a piece per process. What either of them fails with fails the job.
Status gather_pieces(Transport& transport, const std::function<Result<Bytes>()>& next,
                     const std::function<Status(uint32_t process, std::string_view piece)>& take);

}  // namespace mlps::world
