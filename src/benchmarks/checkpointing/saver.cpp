#include "benchmarks/checkpointing/saver.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/units.hpp"
#include "benchmarks/checkpointing/crew.hpp"
#include "benchmarks/checkpointing/io_plan.hpp"

namespace mlps::checkpointing {
namespace {

// A saved state comes beside the reading of a run, whose buffers have a limit of their own: a small share does.
constexpr uint64_t kPartBytes = 16 * kMiB;
constexpr uint64_t kBufferBytes = 256 * kMiB;

/// Workers and buffers as a checkpoint run of one process and one object of `largest_bytes` has them.
Result<IoPlan> plan_saves(uint64_t largest_bytes, storage::Store& store, uint32_t cores) {
  CheckpointPlan plan;
  plan.processes = 1;
  plan.ranks.emplace_back();
  plan.ranks.back().objects.push_back({"largest", largest_bytes});
  return plan_io(plan, store, {.part_bytes = kPartBytes, .memory_bytes = kBufferBytes, .cores = std::max(1U, cores)});
}

}  // namespace

struct Saver::State {
  storage::Store& store;
  world::Failure& failure;
  IoPlan io;
  std::unique_ptr<Crew> crew;
  uint32_t saved = 0;
};

Saver::Saver(std::unique_ptr<State> state) : state_(std::move(state)) {}

Saver::~Saver() {
  for (const std::string& problem : state_->crew->disband()) log::warning("{}", problem);
}

Result<std::unique_ptr<Saver>> Saver::open(storage::Store& store, uint64_t largest_bytes, uint32_t cores,
                                           world::Failure& failure) {
  const auto io = plan_saves(largest_bytes, store, cores);
  if (!io) return fail(io.error());
  auto crew = Crew::hire({*io, PayloadMode::kUnique, false}, store, failure);
  if (!crew) return fail(crew.error());
  auto state = std::unique_ptr<State>(new State{store, failure, *io, std::move(*crew)});
  return std::unique_ptr<Saver>(new Saver(std::move(state)));
}

Result<Saver::Saved> Saver::save(const std::vector<PlannedObject>& objects, uint64_t seed) {
  State& state = *state_;
  Saved saved;
  saved.start = Stamp::now();
  if (objects.empty()) return saved;
  Board board(Phase::kWrite, ++state.saved, 1);
  Lane& lane = board.lane(0);
  for (const PlannedObject& planned : objects) {
    lane.add(state.store.object(
        {planned.name, planned.size_bytes, state.io.part_bytes, payload::Source(seed, planned.name)}));
    saved.bytes += planned.size_bytes;
  }
  lane.activate(now_ns());
  state.crew->work_on(board);
  board.ring();
  const bool done = lane.wait_done();
  state.crew->wait_idle();
  if (!done) return fail(state.failure.first().value_or(Error{ErrorCode::kInternal, "a save was stopped"}));
  if (Status flushed = state.store.flush(); !flushed) return fail(flushed.error());
  saved.duration_ns = now_ns() - saved.start.monotonic_ns;
  return saved;
}

}  // namespace mlps::checkpointing
