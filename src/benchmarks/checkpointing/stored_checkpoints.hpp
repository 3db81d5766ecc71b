#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/checkpointing/plan.hpp"
#include "run/lost_uploads.hpp"
#include "storage/store.hpp"
#include "world/host_list.hpp"

/// Operations on checkpoints that are stored already, done between the phases and outside of the measured time; and
/// on uploads that lost processes have left open.
namespace mlps::checkpointing {

/// Checks that every object of checkpoint `checkpoint` is there with its exact size, by listing its step folder.
/// Fails with E603 or E606, with the number of missing and wrong objects and the first one as expected and as found.
Status check_stored(const CheckpointPlan& plan, uint32_t checkpoint, storage::Session& session);

/// Returns how many bytes the checkpoints to be written will take the place of: those of their objects that are there.
Result<uint64_t> stored_bytes(const CheckpointPlan& plan, storage::Session& session);

/// Removes the objects of the checkpoints to be written that are there, and step folders that are empty then. Returns
/// the first error; what could be removed is.
Status remove_stored(const CheckpointPlan& plan, storage::Store& store);

/// Returns the seed of a stored checkpoint, from the first bytes of its first object (payload::Source::seed_from).
Result<uint64_t> find_seed(const CheckpointPlan& plan, uint32_t checkpoint, storage::Session& session);

/// Drops the pages of a checkpoint's objects from this host's page cache.
Status evict(const CheckpointPlan& plan, uint32_t checkpoint, storage::Store& store);

/// Returns how much of a checkpoint this host's page cache holds; nothing where the store has no page
/// cache, or the kernel doesn't tell of every object.
Result<std::optional<storage::Residency>> residency(const CheckpointPlan& plan, uint32_t checkpoint,
                                                    storage::Store& store);

/// Aborts the uploads of the checkpoints of `plan` that the ranks of lost processes have left open; when and how, see
/// run::abort_uploads_of_lost(). `shares` has the ranks of every process.
run::LostUploads abort_uploads_of_lost(const CheckpointPlan& plan, const std::vector<world::HostShare>& shares,
                                       world::Transport& transport, storage::Store& store);

}  // namespace mlps::checkpointing
