#include "world/orphaned_work.hpp"

namespace mlps::world {

std::vector<uint32_t> processes_to_clean_up_for(Transport& transport) {
  std::vector<uint32_t> gone;
  if (!transport.failure().raised()) return gone;
  const uint32_t me = transport.index();
  for (uint32_t process = 0; process < transport.size(); ++process) {
    if (process == me) continue;
    if (transport.lost(process)) {
      gone.push_back(process);
    } else if (process < me) {
      return {};  // that process does it
    }
  }
  return gone;
}

}  // namespace mlps::world
