#include "workloads/values.hpp"

namespace mlps::workloads {

std::string_view source_name(ValueSource source) {
  switch (source) {
    case ValueSource::kWorkloadFile:
      return "workload file";
    case ValueSource::kTool:
      return "tool";
    case ValueSource::kUserParams:
      return "--params";
  }
  return "unknown";
}

}  // namespace mlps::workloads
