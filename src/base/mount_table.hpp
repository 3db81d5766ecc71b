#pragma once

#include <string>
#include <string_view>

namespace mlps {

/// Returns the type ("ext4") of the file system on device `major`:`minor`, out of the text of /proc/self/mountinfo;
/// empty if no mount has that device.
std::string file_system_of(std::string_view mountinfo, unsigned major, unsigned minor);

}  // namespace mlps
