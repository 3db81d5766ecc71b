#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace mlps::cli::test {

using Variables = std::map<std::string, std::string>;

/// A folder of its own, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mlps_cli_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path(name);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  /// A home of nobody: no file of the machine's user is read.
  Environment environment(Variables more = {}) const {
    more.emplace("HOME", path_);
    return Environment(std::move(more));
  }

 private:
  std::string path_;
};

inline bool has_error(const std::vector<Error>& errors, ErrorCode code, const std::string& text) {
  for (const Error& error : errors) {
    const std::string all = error.message + "\n" + error.details + "\n" + error.suggestion;
    if (error.code == code && all.find(text) != std::string::npos) return true;
  }
  return false;
}

inline std::string rendered(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += render(error) + "\n";
  return text;
}

}  // namespace mlps::cli::test
