#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/checkpointing_execute.hpp"

namespace mlps::cli {

int execute_checkpointing(const CheckpointingOptions& options, const Environment& /*environment*/,
                          const Stamp& /*invocation_start*/) {
  const Error error{ErrorCode::kNotImplemented,
                    fmt::format("checkpointing {}: not in this build yet", command_name(options.command))};
  fmt::print(stderr, "{}\n", render(error));
  return exit_code(error.code);
}

}  // namespace mlps::cli
