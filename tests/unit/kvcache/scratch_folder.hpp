#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/open.hpp"

namespace mlps::kvcache::test {

/// A folder for the files of one test, removed with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    const char* parent = std::getenv("MLPS_TEST_TMP");
    path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/kvcache-XXXXXX";
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::unique_ptr<storage::Store> open(const std::string& scheme = "", const std::string& fault = "") const {
    storage::StoreOptions options;
    options.fadvise = storage::FadviseMode::kNone;
    options.fault = fault;
    auto store = storage::open_store(*parse_location(scheme + path_), options, Environment());
    return store ? std::move(*store) : nullptr;
  }
  /// Returns the number of files in the folder and below it.
  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) count += entry.is_regular_file();
    return count;
  }

 private:
  std::string path_;
};

}  // namespace mlps::kvcache::test
