#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace mlps {

/// What the threads of one group are for, and what to say when something is wrong with them.
struct ThreadPurpose {
  /// In the plural, for errors ("I/O threads"). The first 15 characters are the threads' name in ps and perf.
  std::string name;
  /// The option that lowers their number ("--io-workers"); empty if none does.
  std::string fewer_by = {};
  /// Gets what a thread's work threw, on that thread. May be called more than once, and must not throw.
  std::function<void(Error)> on_error = {};
};

/// A group of running threads; the only place of the program that starts threads. An exception that leaves a thread's
/// work becomes an Error for `on_error`, never the end of the process. Used by one thread at a time.
class Threads {
 public:
  Threads() = default;
  Threads(Threads&&) noexcept = default;
  Threads& operator=(Threads&& other) noexcept;
  ~Threads() { join(); }

  /// Starts `count` threads that call work(0) to work(count - 1). No work begins before every thread has started: when
  /// the system refuses one, nothing has run, and the error names the limits that refused it and how to need less.
  static Result<Threads> start(size_t count, ThreadPurpose purpose, std::function<void(size_t)> work);

  bool running() const { return !threads_.empty(); }
  /// Waits for the end of all work, which somebody must have asked for, or which ends by itself or at a failure.
  void join();
  /// Leaves the threads to themselves: for work that may hang for ever and owns all that it uses.
  void detach();

 private:
  std::vector<std::thread> threads_;
};

/// Runs work(0) to work(count - 1) at the same time, work(0) on the caller's thread, and returns when all have ended:
/// with an error if the system refused a thread (then none has run), or with the first one that was thrown. `purpose`
/// needs no on_error; where there is one, it is called at once, so that it can tell the others to stop.
Status run_on_threads(size_t count, ThreadPurpose purpose, const std::function<void(size_t)>& work);

/// The processors that this process may run on; at least 1.
unsigned processors();

/// The error for an exception in the work of `who`; for use inside a catch block only.
Error error_of_exception(const std::string& who);

}  // namespace mlps
