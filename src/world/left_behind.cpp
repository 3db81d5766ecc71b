#include "world/left_behind.hpp"

namespace mlps::world {

std::vector<uint32_t> left_to_this_process(Transport& transport) {
  std::vector<uint32_t> gone;
  if (!transport.failure().raised()) return gone;
  const uint32_t me = transport.index();
  for (uint32_t process = 0; process < transport.size(); ++process) {
    if (process == me) continue;
    if (transport.lost(process)) {
      gone.push_back(process);
    } else if (process < me) {
      return {};  // that one does it
    }
  }
  return gone;
}

}  // namespace mlps::world
