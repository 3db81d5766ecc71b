#include "base/own_program.hpp"

#include <filesystem>
#include <system_error>

namespace mlps {

std::string own_program_path() {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : path.string();
}

std::string own_program_folder() {
  return std::filesystem::path(own_program_path()).parent_path().string();
}

}  // namespace mlps
