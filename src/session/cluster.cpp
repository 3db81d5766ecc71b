#include "session/cluster.hpp"

#include <set>
#include <utility>

#include "world/host_facts_pack.hpp"

namespace mlps::cli {
namespace {

// What every process says, in process 0; elsewhere nothing.
Result<std::vector<world::HostFacts>> gather_facts(Job& job) {
  world::HostFacts mine = world::collect_host_facts();
  std::vector<world::HostFacts> facts;
  if (job.is_alone()) {
    facts.push_back(std::move(mine));
    return facts;
  }
  const auto packed = job.transport().gather(world::pack(mine));
  if (!packed) return fail(packed.error());
  for (const world::Bytes& bytes : *packed) {
    auto one = world::unpack_host_facts(bytes);
    if (!one) return fail(std::move(one.error()));
    facts.push_back(std::move(*one));
  }
  return facts;
}

}  // namespace

std::optional<int> Cluster::meet(Job& job) {
  auto facts = gather_facts(job);
  if (job.transport().failure().raised()) return job.failed();
  if (const auto status = job.agree(facts ? std::vector<Error>() : std::vector<Error>{facts.error()})) return status;
  facts_ = std::move(*facts);
  memory_bytes_ = 0;
  std::set<std::string> counted;
  for (const world::HostFacts& host : facts_) {
    if (counted.insert(host.hostname).second) memory_bytes_ += host.memory.total;
  }
  return job.share(memory_bytes_);
}

std::vector<results::RunMember> Cluster::members(Job& job, const std::vector<world::HostShare>& shares) const {
  const std::vector<world::Member>& processes = job.transport().members();
  std::vector<results::RunMember> members;
  for (size_t i = 0; i < processes.size(); ++i) {
    members.push_back(
        {processes[i].host, processes[i].pid, shares[i].first_rank, shares[i].ranks, processes[i].clock, facts_[i]});
  }
  return members;
}

std::vector<std::optional<world::HostFacts>> facts_at_end(Job& job) {
  std::vector<std::optional<world::HostFacts>> ends(job.transport().size());
  auto facts = job.transport().failure().raised() ? Result<std::vector<world::HostFacts>>() : gather_facts(job);
  if (facts && facts->size() == ends.size()) {
    for (size_t i = 0; i < ends.size(); ++i) ends[i] = std::move((*facts)[i]);
  } else {
    ends[job.transport().index()] = world::collect_host_facts();
  }
  return ends;
}

}  // namespace mlps::cli
