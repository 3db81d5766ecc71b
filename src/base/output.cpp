#include "base/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/write_all.hpp"

namespace mlps {
namespace {

struct Lost {
  std::mutex mutex;
  std::optional<Error> first;
  bool is_reported = false;
};

Lost& lost() {
  static Lost instance;
  return instance;
}

std::atomic<uint64_t> printed = 0;

void write_to(int stream, const char* name, std::string_view text) {
  const int error = try_write_all(stream, std::as_bytes(std::span(text)));
  if (error != 0) note_lost_output(fmt::format("write to {}: {}", name, std::generic_category().message(error)));
}

}  // namespace

void print(std::string_view text) {
  printed += text.size();
  write_to(STDOUT_FILENO, "stdout", text);
}

uint64_t printed_bytes() {
  return printed;
}

void print_error(std::string_view text) {
  write_to(STDERR_FILENO, "stderr", text);
}

void note_lost_output(std::string message) {
  Lost& state = lost();
  const std::lock_guard lock(state.mutex);
  if (state.first) return;
  state.first = Error{ErrorCode::kDiskFull,
                      std::move(message),
                      {},
                      "this output is not complete; the results of a run are in its folder all the same"};
}

std::optional<Error> lost_output() {
  Lost& state = lost();
  const std::lock_guard lock(state.mutex);
  return state.first;
}

int status_with_output(int status) {
  const auto error = lost_output();
  if (!error) return status;
  Lost& state = lost();
  if (!std::exchange(state.is_reported, true)) print_error(render(*error) + "\n");
  return status == kExitSuccess ? exit_code(error->code) : status;
}

}  // namespace mlps
