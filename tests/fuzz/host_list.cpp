// A list of hosts, and ranks spread over them. First byte: number of ranks; second: the rules.
#include "world/host_list.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  if (size < 2) return 0;
  const uint32_t ranks = data[0];
  const auto hosts = world::parse_host_list({std::string(fuzz::text_of(data + 2, size - 2))});
  if (!hosts) return 0;
  const auto shares = world::layout(*hosts, ranks, {(data[1] & 1) != 0, (data[1] & 2) != 0});
  if (!shares) return 0;
  uint64_t given = 0;
  for (const world::HostShare& share : *shares) {
    fuzz::require(share.first_rank == given && share.ranks > 0, "ranks are numbered without gaps");
    given += share.ranks;
  }
  fuzz::require(given == ranks, "every rank has a host");
  return 0;
}
