#include "session/cluster.hpp"

#include <set>
#include <utility>

#include "world/archive.hpp"

namespace mlps::cli {
namespace {

// Returns the facts of every process in process 0, elsewhere nothing.
Result<std::vector<world::HostFacts>> gather_facts(ProcessGroup& group) {
  world::HostFacts mine = world::collect_host_facts();
  std::vector<world::HostFacts> facts;
  if (group.is_alone()) {
    facts.push_back(std::move(mine));
    return facts;
  }
  const auto packed = group.transport().gather(world::pack(world::kHostFacts, mine));
  if (!packed) return fail(packed.error());
  for (const world::Bytes& bytes : *packed) {
    auto one = world::unpack<world::HostFacts>(world::kHostFacts, "another process", bytes);
    if (!one) return fail(std::move(one.error()));
    facts.push_back(std::move(*one));
  }
  return facts;
}

}  // namespace

std::optional<int> Cluster::meet(ProcessGroup& group) {
  auto facts = gather_facts(group);
  if (group.transport().failure().raised()) return group.failure_status();
  if (const auto status = group.check_consensus(facts ? std::vector<Error>() : std::vector<Error>{facts.error()}))
    return status;
  facts_ = std::move(*facts);
  memory_bytes_ = 0;
  std::set<std::string> counted;
  for (const world::HostFacts& host : facts_) {
    if (counted.insert(host.hostname).second) memory_bytes_ += host.memory.total;
  }
  return group.broadcast(memory_bytes_);
}

std::vector<results::RunMember> Cluster::members(ProcessGroup& group,
                                                 const std::vector<world::HostShare>& shares) const {
  const std::vector<world::Member>& processes = group.transport().members();
  std::vector<results::RunMember> members;
  for (size_t i = 0; i < processes.size(); ++i) {
    members.push_back(
        {processes[i].host, processes[i].pid, shares[i].first_rank, shares[i].ranks, processes[i].clock, facts_[i]});
  }
  return members;
}

std::vector<std::optional<world::HostFacts>> facts_at_end(ProcessGroup& group) {
  std::vector<std::optional<world::HostFacts>> ends(group.transport().size());
  auto facts = group.transport().failure().raised() ? Result<std::vector<world::HostFacts>>() : gather_facts(group);
  if (facts && facts->size() == ends.size()) {
    for (size_t i = 0; i < ends.size(); ++i) ends[i] = std::move((*facts)[i]);
  } else {
    ends[group.transport().index()] = world::collect_host_facts();
  }
  return ends;
}

}  // namespace mlps::cli
