#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"

namespace mlps::cli {

/// Both ends of a pipe, closed with it. No child has them unless they are handed over.
class Pipe {
 public:
  Pipe();
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return read_end_; }
  int write_end() const { return write_end_; }
  void close_read();
  void close_write();

 private:
  int read_end_ = -1, write_end_ = -1;
};

/// What takes the place of a child's standard streams; -1: nothing to read, our outputs.
struct Streams {
  int in = -1, out = -1, err = -1;
};

/// Starts a program, found as a shell would, in a process group of its own, so that what is typed at the terminal
/// reaches this process alone. Signals are as a shell would hand them on.
Result<pid_t> start_child(const std::vector<std::string>& command, const Streams& streams);

/// Everything a program prints on both its streams, once it has ended.
Result<std::string> output_of(const std::vector<std::string>& command);

}  // namespace mlps::cli
