#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace mlps::gates {

/// A probe file, which the destructor removes if it was created; if that fails, it appends a warning that begins with
/// the gate's name. Keeps references: `gate` and `warnings` must outlive it.
class ProbeFile {
 public:
  ProbeFile(std::string_view gate, std::string path, std::vector<std::string>& warnings)
      : gate_(gate), path_(std::move(path)), warnings_(warnings) {}
  ~ProbeFile();
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;

  /// Creates the file, which must not exist, with `content`. Returns 0, or the errno of the failure.
  int create(mode_t mode, std::string_view content = {});

  const std::string& path() const { return path_; }

 private:
  const std::string_view gate_;
  const std::string path_;
  std::vector<std::string>& warnings_;
  bool made_ = false;
};

}  // namespace mlps::gates
