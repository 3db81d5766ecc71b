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

/// Carries messages between the processes: over MPI, or a fake in tests. Used by one thread only; no call waits.
class Wire {
 public:
  virtual ~Wire() = default;

  virtual uint32_t index() const = 0;
  virtual uint32_t size() const = 0;

  /// Begins to send; the bytes are kept until they are gone. Messages of one sender may overtake each other.
  virtual Status send(uint32_t to, Bytes bytes) = 0;
  /// Makes progress with sends and receives; returns a message that has arrived completely, if there is one.
  virtual Result<std::optional<Message>> poll() = 0;
  /// Returns the process that the last error was about; nothing if the wire itself is broken.
  virtual std::optional<uint32_t> unreachable() const = 0;
  /// Returns the number of messages to this process that are not on their way yet.
  virtual size_t unsent(uint32_t to) const = 0;

  /// Ends MPI in order, after all processes have agreed to. The one call that may wait for the others, without limit.
  virtual Status finish() = 0;
  /// Ends the whole job with this status, as far as the wire can. Returns if it can't, or if it need not: `all_leave`
  /// says that every process leaves by itself, with that status.
  virtual void abort(int exit_status, bool all_leave) = 0;
};

}  // namespace mlps::world
