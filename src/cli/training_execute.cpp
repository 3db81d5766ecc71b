#include "cli/training_execute.hpp"

#include "cli/execution.hpp"

namespace mlps::cli {

int execute_training(const TrainingOptions&, const Environment&, const Stamp&) {
  return report_failures({{ErrorCode::kNotImplemented, "training is not in this build yet"}});
}

}  // namespace mlps::cli
