#include "benchmarks/checkpointing/stored_checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/units.hpp"
#include "run/written_objects.hpp"

namespace mlps::checkpointing {
namespace {

constexpr size_t kSeedBytes = 8;

template <class Visit>
void for_each_object(const CheckpointPlan& plan, uint32_t checkpoint, const Visit& visit) {
  for (const RankPlan& rank : plan.ranks) {
    for (const PlannedObject& object : rank.objects) visit(object_name(checkpoint, object), object);
  }
}

std::vector<storage::ObjectInfo> objects_of(const CheckpointPlan& plan, uint32_t checkpoint) {
  std::vector<storage::ObjectInfo> objects;
  for_each_object(plan, checkpoint, [&](const std::string& name, const PlannedObject& object) {
    objects.push_back({name, object.size_bytes});
  });
  return objects;
}

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

Status check_stored(const CheckpointPlan& plan, uint32_t checkpoint, storage::Session& session) {
  const auto sizes = run::list_sizes(step_folder(checkpoint) + "/", session);
  if (!sizes) return fail(sizes.error());
  uint64_t missing = 0;
  uint64_t wrong = 0;
  std::string first;
  for_each_object(plan, checkpoint, [&](const std::string& name, const PlannedObject& object) {
    const auto found = sizes->find(name);
    if (found != sizes->end() && found->second == object.size_bytes) return;
    if (found == sizes->end()) {
      ++missing;
    } else {
      ++wrong;
    }
    if (first.empty()) {
      first = fmt::format("{}: {} bytes expected, {}", name, grouped(object.size_bytes),
                          found == sizes->end() ? "not there" : grouped(found->second) + " found");
    }
  });
  if (missing + wrong == 0) return {};
  return fail(missing > 0 ? ErrorCode::kStorageNotFound : ErrorCode::kDataMismatch,
              fmt::format("checkpoint {} can't be read: {} of {} objects missing, {} of another size", checkpoint,
                          missing, plan.objects_per_checkpoint, wrong),
              "first: " + first,
              "write the checkpoints first (--num-checkpoints-write), with the same --model, --num-processes and "
              "--size-scale, into the same --checkpoint-folder");
}

Result<uint64_t> stored_bytes(const CheckpointPlan& plan, storage::Session& session) {
  uint64_t bytes = 0;
  for (uint32_t checkpoint = 1; checkpoint <= plan.checkpoints_to_write; ++checkpoint) {
    const auto more = run::bytes_in_place(step_folder(checkpoint), objects_of(plan, checkpoint), session);
    if (!more) return fail(more.error());
    bytes += *more;
  }
  return bytes;
}

Status remove_stored(const CheckpointPlan& plan, storage::Store& store) {
  const auto session = store.open_session(1);
  if (!session) return fail(session.error());
  Status status;
  for (uint32_t checkpoint = 1; checkpoint <= plan.checkpoints_to_write; ++checkpoint) {
    Status removed = run::remove_objects(step_folder(checkpoint), objects_of(plan, checkpoint), **session, store);
    if (status && !removed) status = std::move(removed);
  }
  return status;
}

Result<uint64_t> find_seed(const CheckpointPlan& plan, uint32_t checkpoint, storage::Session& session) {
  for (const RankPlan& rank : plan.ranks) {
    for (const PlannedObject& object : rank.objects) {
      if (object.size_bytes < kSeedBytes) continue;
      const std::string name = object_name(checkpoint, object);
      const auto bytes = session.get(name, 0, kSeedBytes);
      if (!bytes) return fail(bytes.error());
      if (bytes->size() != kSeedBytes) {
        return fail(ErrorCode::kDataMismatch,
                    fmt::format("{}: {} bytes read instead of {}", name, bytes->size(), kSeedBytes));
      }
      return payload::Source::seed_from(payload_name(plan, checkpoint, object),
                                        std::span<const std::byte, kSeedBytes>(bytes->data(), kSeedBytes));
    }
  }
  return fail(ErrorCode::kConfigIncompatible, "no object is large enough to hold its seed", {},
              "give --seed, or a larger --size-scale");
}

Status evict(const CheckpointPlan& plan, uint32_t checkpoint, storage::Store& store) {
  Status status;
  for_each_object(plan, checkpoint, [&](const std::string& name, const PlannedObject&) {
    if (status) status = store.evict(name);
  });
  return status;
}

Result<std::optional<storage::Residency>> residency(const CheckpointPlan& plan, uint32_t checkpoint,
                                                    storage::Store& store) {
  storage::Residency sum;
  bool known = true;
  Status status;
  for_each_object(plan, checkpoint, [&](const std::string& name, const PlannedObject&) {
    if (!status || !known) return;
    const auto one = store.residency(name);
    if (!one) status = fail(one.error());
    known = one && one->has_value();
    if (known) merge(sum, **one);
  });
  if (!status) return fail(status.error());
  return known ? std::optional(sum) : std::nullopt;
}

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
