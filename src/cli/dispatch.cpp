#include "cli/dispatch.hpp"

#include <fmt/format.h>

#include "cli/version.hpp"

namespace mlps::cli {

int dispatch(const Invocation& invocation) {
  if (invocation.arguments == std::vector<std::string>{"--version"}) {
    fmt::print("{}\n", version_line());
    return kExitSuccess;
  }
  const Error error{ErrorCode::kNotImplemented, "the command line: not in this build yet"};
  fmt::print(stderr, "{}\n", render(error));
  return exit_code(error.code);
}

}  // namespace mlps::cli
