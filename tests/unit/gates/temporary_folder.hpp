#pragma once

#include <stdlib.h>

#include <filesystem>
#include <iterator>
#include <string>

namespace mlps::gates {

/// A new folder below `parent`, removed with all in it at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& parent = "/tmp") : path_(parent + "/mlps_gates_XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  size_t entries() const {
    const std::filesystem::directory_iterator first(path_);
    return static_cast<size_t>(std::distance(first, {}));
  }

 private:
  std::string path_;
};

}  // namespace mlps::gates
