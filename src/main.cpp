#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <string>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/version.hpp"
#include "cli/dispatch.hpp"

namespace {

std::string program_folder() {
  const std::string path = mlps::binary_path();
  return path.substr(0, path.rfind('/'));
}

/// Opens /dev/null for standard streams that were closed when the program was started: the first file that it opened
/// would take their place, and its messages would end in there.
void fill_standard_streams() {
  for (int stream = open("/dev/null", O_RDWR); stream >= 0; stream = open("/dev/null", O_RDWR)) {
    if (stream > STDERR_FILENO) {
      close(stream);
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const mlps::Stamp start = mlps::Stamp::now();
  fill_standard_streams();
  try {
    return mlps::cli::dispatch({{argv + (argc > 0 ? 1 : 0), argv + argc},
                                mlps::Environment::of_process(),
                                program_folder(),
                                start,
                                mlps::cli::registry()});
  } catch (const std::exception& exception) {
    // Floors hand errors up as values; what arrives here is a defect of the program, or memory that ran out.
    const mlps::Error error{mlps::ErrorCode::kInternal,
                            fmt::format("unexpected: {}", exception.what()),
                            {},
                            "this is a defect of mlpstorage: please report it with the command line"};
    fmt::print(stderr, "{}\n", mlps::render(error));
    return mlps::exit_code(error.code);
  }
}
