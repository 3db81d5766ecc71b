#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Runs the threads of a small scenario under every interleaving of their operations on shared objects, one execution
/// after the other. The threads are fibers of one real thread, so an execution is a sequence of choices that can be
/// repeated. What they share must be made of ModelSync's types (sync.hpp here), which stop before every operation.
///
/// The memory model is sequential consistency: weaker orders are for ThreadSanitizer and for review. Interleavings that
/// differ only in the order of independent operations are tried once (sleep sets); every state that can be reached is.
/// A deadline may expire whenever its thread sleeps, as often as Options::early_deadlines allows for each thread, and
/// must expire when nobody else can run.
namespace mlps::model {

using ThreadId = uint32_t;
using ObjectId = uint32_t;

/// What the next operation of a thread touches.
struct Access {
  ObjectId object = 0;  ///< 0: nothing
  bool writes = false;
};

struct Operation {
  const char* name = "";
  Access first = {}, second = {};
};

struct Options {
  uint64_t max_executions = 3'000'000;
  uint32_t max_steps = 2'000;       ///< of one execution; more means that it has no end
  uint32_t early_deadlines = 1;     ///< of each thread in one execution
  bool needs_no_deadlines = false;  ///< that only a deadline can end a wait is a failure: a wake-up was lost
  int64_t max_preemptions =
      -1;  ///< -1: no limit; else only executions with so many switches away from a thread that could go on
};

struct Report {
  uint64_t executions = 0;  ///< that came to their end
  uint64_t pruned = 0;      ///< given up since they only repeat what was tried
  uint64_t states = 0;      ///< in which something was chosen
  uint64_t steps = 0;
  int64_t max_preemptions = -1;  ///< of the options
  bool complete = false;         ///< every interleaving was tried
  std::string failure;           ///< what went wrong, and the schedule that leads there; empty if nothing did

  bool proves() const { return complete && failure.empty(); }
  std::string text() const;
};

/// One execution, as the scenario's function sees it before it begins.
class Execution {
 public:
  /// Adds a thread.
  ThreadId thread(std::string name, std::function<void()> body);
  /// Runs when all threads have ended; may call check().
  void at_end(std::function<void()> body);
};

/// Calls `scenario` anew for every execution: it makes the shared state and the threads, which keep it alive.
Report explore(const Options& options, const std::function<void(Execution&)>& scenario);

/// In a thread or at the end of a scenario: the execution fails with `what` unless `holds`.
void check(bool holds, const std::string& what);

/// In a thread: waits until another has ended.
void join(ThreadId thread);

// For ModelSync.

/// A number for a new shared object.
ObjectId new_object();
/// Stops before `operation` until the scheduler lets this thread go on.
void step(const Operation& operation);
/// The same, for an operation that can only happen while `is_enabled()`.
void step_when(const Operation& operation, const std::function<bool()>& is_enabled);
/// Sleeps until `is_woken()`; false if the deadline expired before, which is an operation on `queue`.
bool sleep_until(ObjectId queue, int64_t deadline_ns, const std::function<bool()>& is_woken);
/// The virtual time: that of the last deadline that has expired.
int64_t now();

}  // namespace mlps::model
