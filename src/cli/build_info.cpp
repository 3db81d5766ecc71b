#include "cli/build_info.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <openssl/crypto.h>

#include <filesystem>

#include "base/version.hpp"
#include "payload/payload.hpp"
#include "world/mpi/mpi_wire.hpp"

namespace mlps::cli {
namespace {

std::string fact(std::string_view name, std::string_view value) {
  return fmt::format("{:<14}{}\n", name, value);
}

/// Returns the files of the plug-ins that a run would look for, as far as they are there.
std::string mpi_plugins() {
  std::string found;
  for (const std::string& folder : world::plugin_folders()) {
    for (const char* flavour : {"openmpi", "mpich"}) {
      const std::string path = fmt::format("{}/mlps_mpi_{}.so", folder, flavour);
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) found += (found.empty() ? "" : ", ") + path;
    }
  }
  return found.empty() ? "none: runs are on this host only" : found;
}

/// Returns the shared libraries that the loader put beside the program, one a line, in its order.
std::string shared_libraries() {
  std::string lines;
  const auto add = [](dl_phdr_info* object, size_t, void* text) {
    const std::string_view path = object->dlpi_name;
    auto& all = *static_cast<std::string*>(text);
    if (path.starts_with('/')) all += fact(all.empty() ? "shared" : "", path);  // not the program, nor the kernel's
    return 0;
  };
  ::dl_iterate_phdr(add, &lines);
  return lines;
}

}  // namespace

std::string build_info() {
  return fact("commit", commit_id().empty() ? build_id() : commit_id()) + fact("binary", binary_id()) +
         fact("program", binary_path().empty() ? "-" : binary_path()) + fact("compiler", compiler()) +
         fact("libc", gnu_get_libc_version()) + fact("libcurl", curl_version()) +
         fact("OpenSSL", OpenSSL_version(OPENSSL_VERSION)) +
         fact("fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)) +
         fact("payload", payload::active_layer()) + fact("MPI", mpi_plugins()) + shared_libraries();
}

}  // namespace mlps::cli
