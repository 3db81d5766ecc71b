#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mlps {

/// A line of /proc/self/mountinfo.
struct Mount {
  uint64_t id = 0;     ///< as statx() tells it
  std::string device;  ///< "98:0"
  std::string type;    ///< "ext4"
  std::string source;  ///< "/dev/sda1", "server:/export", "tmpfs"
};

/// Returns the mount `id`, out of the text of /proc/self/mountinfo; nothing if it has none of that id.
std::optional<Mount> mount_of(std::string_view mountinfo, uint64_t id);

/// Returns the type ("ext4") of the file system on device `major`:`minor`, out of the text of /proc/self/mountinfo;
/// empty if no mount has that device.
std::string file_system_of(std::string_view mountinfo, unsigned major, unsigned minor);

}  // namespace mlps
