#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/output.hpp"
#include "base/threads.hpp"
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

// Its threads have stacks of this size, too. With less the program would die of SIGSEGV somewhere.
constexpr rlim_t kLeastStackBytes = 1 << 20;

/// Returns whether stacks are large enough (ulimit -s). Says so if they are not, on next to no stack.
bool has_stack() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kLeastStackBytes) return true;
  constexpr char kText[] =
      "[E201] the limit of a thread's stack (ulimit -s) is below 1024 KiB\n"
      "  Suggestion: ulimit -s 8192; where the hard limit forbids it, who set it must raise it\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  return false;
}

#ifdef MLPS_STATIC
/// Tells OpenSSL, by its own variable, where this distribution keeps the certificates that it trusts, unless the user
/// did. A libcurl of the distribution's own knows; the one that is linked into this program can't.
void find_certificates() {
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(path, R_OK) != 0) continue;
    ::setenv("SSL_CERT_FILE", path, 0);
    return;
  }
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const mlps::Stamp start = mlps::Stamp::now();
  fill_standard_streams();
  if (!has_stack()) return mlps::exit_code(mlps::ErrorCode::kCommandFailed);
  // Instead of ending the program these signals leave an error where it was made: a reader that is gone, and a file
  // that grew to the limit (ulimit -f).
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
#ifdef MLPS_STATIC
  find_certificates();
#endif
  try {
    return mlps::status_with_output(mlps::cli::dispatch({{argv + (argc > 0 ? 1 : 0), argv + argc},
                                                         mlps::Environment::of_process(),
                                                         program_folder(),
                                                         start,
                                                         mlps::cli::registry()}));
  } catch (...) {
    // Floors hand errors up as values; what arrives here is a defect of the program, or memory that ran out.
    const mlps::Error error = mlps::error_of_exception("mlpstorage");
    mlps::print_error(mlps::render(error) + "\n");
    return mlps::exit_code(error.code);
  }
}
