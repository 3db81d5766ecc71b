#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

/// What this program prints, and what became of it. Output that nobody gets is an error of the command, whatever else
/// became of it; but it stops no run and costs no record. Any thread may call anything.
namespace mlps {

/// Writes `text` to stdout, or to stderr, at once. A failure is kept for lost_output(). A reader that does not read is
/// waited for on stdout; on stderr, where a run says how it goes, for a minute, and from then on lines are dropped
/// while there is no room for them.
void print(std::string_view text);
void print_error(std::string_view text);

/// Returns how much print() was given so far.
uint64_t printed_bytes();

/// Limits all further waits for readers to a few seconds in all: this process was asked to stop.
void stop_waiting_for_readers();

/// Keeps the first output that was lost, for lost_output(): `message` is "write to stdout: No space left on device".
void note_lost_output(std::string message);

/// Returns E403 for the first output that could not be written, to stdout, stderr or a log file, if there is one.
std::optional<Error> lost_output();

/// Returns the process status after all output: `status`, or that of lost output where it would be success. Reports
/// lost output on stderr, once.
int status_with_output(int status);

}  // namespace mlps
