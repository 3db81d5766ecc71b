#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/event_count.hpp"
#include "io/stats.hpp"
#include "storage/store.hpp"
#include "world/world.hpp"

namespace mlps::io {

class IoThread;

/// Room for one operation in flight.
struct Slot {
  storage::Operation operation;  ///< its tag is the slot's index in the thread; a source keeps its own state by it
  std::span<std::byte> buffer;   ///< empty if no bytes go through memory
  Nanos prepare_ns = 0;          ///< spent filling or verifying this operation's bytes

  uint64_t index() const { return operation.tag; }
  /// Gives the operation the first `bytes` of the buffer, or none if no bytes go through memory.
  void use_buffer(uint64_t bytes) { operation.buffer = buffer.empty() ? buffer : buffer.first(bytes); }
};

/// Where an operation belongs, for errors.
struct Place {
  std::string text;              ///< "rank 3, write of checkpoint 1"
  std::optional<uint32_t> rank;  ///< where one is known
};

/// Raises `error` with the place in its details.
void raise(world::Failure& failure, Error error, const Place& place);

/// The work of one I/O thread: says which operation comes next, and what a completion means. Everything is called by
/// that thread alone. Filling before a write and verifying after a read are the thread's; so are buffers and counters.
class TaskSource {
 public:
  virtual ~TaskSource() = default;

  /// Called when a phase begins, before the thread's clock runs; may wait for the moment at which work begins.
  virtual void begin() {}
  /// Puts the next operation into `slot`: kind, object, part or range, and buffer by use_buffer(). `more_free` further
  /// slots are free. Returns false if there is nothing to start now, or the run has failed.
  virtual bool next(Slot& slot, size_t more_free) = 0;
  /// The operation has succeeded. Returns true if `slot` carries another one, to be submitted at once.
  virtual bool done(Slot& slot) = 0;
  /// The operation has failed. Returns as done(); by default the run fails.
  virtual bool failed(Slot& slot);
  /// The byte at `wrong` of the object is not what it should be. Returns true if that is no error; then done() follows.
  virtual bool accepts_mismatch(Slot& /*slot*/, uint64_t /*wrong*/) { return false; }

  /// Whether the operation counts in latencies and bytes.
  virtual bool counts(const Slot& /*slot*/) const { return true; }
  /// Whether next() may have something new before an operation of this thread completes.
  virtual bool may_get_more() const { return true; }
  /// Whether no work is left and none will come in this phase.
  virtual bool finished() const = 0;
  /// A key taken before next(); wait() returns when next() or finished() may say something else than after it, and when
  /// the run has failed.
  virtual EventCount::Key prepare_wait() const { return 0; }
  virtual void wait(EventCount::Key key) = 0;

  /// Called at the end of a phase, with nothing in flight in this thread; after a failure (`failed`) in no thread.
  virtual void clean_up(IoThread& /*thread*/, bool /*failed*/) {}

  virtual Place place(const Slot& slot) const = 0;
  /// Returns what the user should check when bytes read are not those written.
  virtual std::string mismatch_hint() const = 0;
  virtual Stats& stats() = 0;

 protected:
  explicit TaskSource(world::Failure& failure) : failure_(failure) {}
  world::Failure& failure_;
};

}  // namespace mlps::io
