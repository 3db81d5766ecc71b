#include "results/run_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mlps::results {

std::vector<RunHost> hosts_of(const RunContext& context) {
  std::vector<RunHost> hosts;
  for (size_t i = 0; i < context.members.size(); ++i) {
    const RunMember& member = context.members[i];
    auto host =
        std::find_if(hosts.begin(), hosts.end(), [&](const RunHost& known) { return known.name == member.host; });
    if (host == hosts.end()) host = hosts.insert(hosts.end(), {member.host, {}, 0});
    host->members.push_back(i);
    host->ranks += member.ranks;
  }
  return hosts;
}

std::vector<std::string> host_names(const RunContext& context) {
  std::vector<std::string> names;
  for (RunHost& host : hosts_of(context)) names.push_back(std::move(host.name));
  return names;
}

const RunMember& member_of_rank(const RunContext& context, uint32_t rank) {
  // The last that doesn't begin after the rank: one without ranks begins where the next does.
  const auto after =
      std::upper_bound(context.members.begin(), context.members.end(), rank,
                       [](uint32_t wanted, const RunMember& member) { return wanted < member.first_rank; });
  return after == context.members.begin() ? context.members.front() : *std::prev(after);
}

bool holds_rank(const RunFacts& facts, uint32_t rank) {
  // Nothing is said of a run that never began: then no rank did more than another.
  return facts.hosts.empty() || std::any_of(facts.hosts.begin(), facts.hosts.end(), [&](const auto& part) {
           return rank >= part.first_rank && rank - part.first_rank < part.ranks;
         });
}

std::vector<HostView> hosts_at_start(const RunContext& context) {
  std::vector<HostView> views;
  for (RunHost& host : hosts_of(context)) {
    views.push_back({std::move(host.name), &context.members[host.members.front()].facts});
  }
  return views;
}

std::vector<HostView> hosts_at_end(const RunContext& context, const RunOutcome& outcome) {
  std::vector<HostView> views;
  for (RunHost& host : hosts_of(context)) {
    const auto known = std::find_if(host.members.begin(), host.members.end(), [&](size_t member) {
      return member < outcome.host_ends.size() && outcome.host_ends[member];
    });
    if (known != host.members.end()) views.push_back({std::move(host.name), &*outcome.host_ends[*known]});
  }
  return views;
}

const char* collection_method(size_t processes) {
  return processes > 1 ? "mpi" : "local";
}

Status check_members(const RunContext& context) {
  uint32_t next = 0;
  for (const RunMember& member : context.members) {
    if (member.first_rank != next) break;
    next += member.ranks;
  }
  if (!context.members.empty() && next == context.processes) return {};
  return fail(ErrorCode::kInternal,
              fmt::format("the {} processes of the job don't hold the {} ranks that the result files are to show",
                          context.members.size(), context.processes),
              {}, "report this as a defect of mlpstorage");
}

}  // namespace mlps::results
