#include "world/transport.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "world/host_facts.hpp"

namespace mlps::world {

LocalTransport::LocalTransport() {
  members_.push_back({host_name(), ::getpid(), {}});
}

Result<std::vector<Bytes>> LocalTransport::gather(Bytes mine) {
  if (Status status = state(); !status) return fail(std::move(status.error()));
  std::vector<Bytes> all;
  all.push_back(std::move(mine));
  return all;
}

void LocalTransport::end_job(int exit_status) {
  std::fflush(nullptr);
  std::_Exit(exit_status);
}

Status LocalTransport::state() const {
  if (!failure_->raised()) return {};
  return fail(*failure_->first());
}

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
