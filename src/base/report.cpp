#include "base/report.hpp"

#include "base/log.hpp"

namespace mlps {

int report_failures(const std::vector<Error>& errors) {
  for (const Error& error : errors) log::error("{}", render(error));
  return exit_code(errors.front().code);
}

}  // namespace mlps
