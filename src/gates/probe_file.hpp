#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace mlps::gates {

/// A file that is removed when this goes, if it was made; one that can't be is a warning that begins with the gate's
/// name. `warnings` must live longer.
class ProbeFile {
 public:
  ProbeFile(std::string_view gate, std::string path, std::vector<std::string>& warnings)
      : gate_(gate), path_(std::move(path)), warnings_(warnings) {}
  ~ProbeFile();
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;

  /// Makes a new file. 0, or errno.
  int create(mode_t mode, std::string_view content = {});
  /// Makes it another name of `source`. 0, or errno.
  int link_from(const ProbeFile& source);

  const std::string& path() const { return path_; }

 private:
  const std::string_view gate_;
  const std::string path_;
  std::vector<std::string>& warnings_;
  bool made_ = false;
};

}  // namespace mlps::gates
