#include "benchmarks/checkpointing/lost_uploads.hpp"

#include <string>
#include <unordered_set>

namespace mlps::checkpointing {
namespace {

/// Adds every object that a share of the ranks may have been writing.
void add_names(const CheckpointPlan& plan, const world::HostShare& share, std::unordered_set<std::string>& names) {
  for (const RankPlan& rank : plan.ranks) {
    if (rank.rank < share.first_rank || rank.rank - share.first_rank >= share.ranks) continue;
    for (uint32_t checkpoint = 1; checkpoint <= plan.checkpoints_to_write; ++checkpoint) {
      for (const PlannedObject& object : rank.objects) names.insert(object_name(checkpoint, object));
    }
  }
}

}  // namespace

run::LostUploads abort_uploads_of_lost(const CheckpointPlan& plan, const std::vector<world::HostShare>& shares,
                                       world::Transport& transport, storage::Store& store) {
  if (plan.checkpoints_to_write == 0) return {};
  return run::abort_uploads_of_lost(transport, store, "", [&](const std::vector<uint32_t>& gone) {
    std::unordered_set<std::string> names;
    for (const uint32_t process : gone) add_names(plan, shares[process], names);
    return [names = std::move(names)](std::string_view name) { return names.contains(std::string(name)); };
  });
}

}  // namespace mlps::checkpointing
