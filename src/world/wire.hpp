#pragma once

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "world/transport.hpp"

namespace mlps::world {

struct Message {
  uint32_t from = 0;
  Bytes bytes;
};

/// What carries messages between the processes: MPI, or a test's own. Used by one thread only, and no call waits.
class Wire {
 public:
  virtual ~Wire() = default;

  virtual uint32_t index() const = 0;
  virtual uint32_t size() const = 0;

  /// Begins to send; the bytes are kept until they are gone. Messages of one sender may overtake each other.
  virtual Status send(uint32_t to, Bytes bytes) = 0;
  /// Moves sends and receives on; a message that has arrived whole, if there is one.
  virtual Result<std::optional<Message>> poll() = 0;
  /// The process that the last error was about; nothing if the wire itself is broken.
  virtual std::optional<uint32_t> unreachable() const = 0;
  /// Messages to this process that are not on their way yet.
  virtual size_t unsent(uint32_t to) const = 0;

  /// The orderly end, after all have agreed to it. The one call that may wait for the others, without limit.
  virtual Status finish() = 0;
  /// Ends the whole job with this status, as far as the wire can; returns if it can't, or if it needn't: `all_leave`
  /// says that every process leaves by itself, with that status.
  virtual void abort(int exit_status, bool all_leave) = 0;
};

}  // namespace mlps::world
