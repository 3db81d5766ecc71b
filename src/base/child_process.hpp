#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace mlps {

/// Both ends of a pipe. A child process inherits neither, except as one of its Streams.
struct Pipe {
  static Result<Pipe> make();

  Descriptor read_end, write_end;
};

/// The descriptors that become a child's standard streams. -1 for `in`: nothing to read; for the others: this
/// process's own.
struct Streams {
  int in = -1, out = -1, err = -1;
};

/// Starts a program, found in PATH as a shell would find it, in a process group of its own, so that what is typed at
/// the terminal reaches this process alone. The child's signals are unblocked and have their default actions.
Result<pid_t> start_child(const std::vector<std::string>& command, const Streams& streams);

/// Returns everything that a program prints on both its streams. At the end of its output, or after `limit_ns`, what is
/// left of its process group is killed; the latter is E202.
Result<std::string> output_of(const std::vector<std::string>& command, Nanos limit_ns);

/// Returns what a program prints on its standard output, at most 1 MiB, where what it prints answers a question; its
/// standard error is this process's own. E201 if it ends with another status than 0, E202 after `limit_ns`, E203 once
/// `stop` is true; then what is left of its process group is killed. No error repeats what it printed, which may be a
/// secret, nor its arguments.
Result<std::string> answer_of(const std::vector<std::string>& command, Nanos limit_ns, const std::atomic<bool>& stop);

}  // namespace mlps
