#include "replay/player.hpp"

#include <algorithm>
#include <memory>

#include "base/threads.hpp"
#include "base/waiting.hpp"
#include "replay/player_shared.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;
using storage::Operation;
using storage::OpKind;

constexpr size_t kMostRemovers = 32;

/// Removes objects, one at a time: sessions have no removal that could be under way beside others.
void remove_all(Shared& shared, storage::Session& session) {
  PlayResult result;
  KindResult& kind = result.kinds[static_cast<size_t>(LogOp::kDelete)];
  for (size_t i = shared.next_removal++; i < shared.removals.size() && !shared.failure.raised();
       i = shared.next_removal++) {
    const PlannedOperation& planned = shared.plan.operations[shared.removals[i]];
    for (;;) {
      const Nanos now = now_ns();
      const Nanos wake = now < shared.due(planned)   ? shared.due(planned)
                         : shared.may_begin(planned) ? 0
                                                     : now + kWaitForOthers;
      if (wake == 0 || shared.failure.raised()) break;
      sleep_for(std::min(wake - now, kLongestWait));
    }
    if (shared.failure.raised()) break;
    const Nanos begun = now_ns();
    if (shared.options.at_recorded_times) result.late_ns.record(static_cast<uint64_t>(begun - shared.due(planned)));
    const Status removed = session.remove(shared.name_of(planned));
    shared.states[planned.state].stage.store(Stage::kDone, std::memory_order_release);
    if (!removed) {
      ++kind.failed;
      if (!result.error) result.error = removed.error();
      continue;
    }
    ++kind.operations;
    kind.latency_ns.record(static_cast<uint64_t>(now_ns() - begun));
    if (planned.recorded_ns > 0) kind.recorded_ns.record(static_cast<uint64_t>(planned.recorded_ns));
  }
  const std::lock_guard lock(shared.mutex);
  shared.result.merge(result);
}

/// Gives up every write that has begun and not ended.
Status abort_open(Shared& shared) {
  auto session = shared.store.open_session(1);
  if (!session) return fail(std::move(session.error()));
  Status outcome;
  for (LiveState& state : shared.states) {
    if (state.stage.load() != Stage::kOpen || state.object == nullptr) continue;
    Operation abort{.kind = OpKind::kAbortWrite, .object = state.object.get()};
    std::vector<Operation*> done;
    (*session)->submit(abort);
    while (done.empty()) (*session)->poll(std::chrono::nanoseconds(kLongestWait), done);
    if (abort.error && outcome) outcome = fail(std::move(*abort.error));
  }
  return outcome;
}

}  // namespace

void KindResult::merge(const KindResult& other) {
  operations += other.operations;
  bytes += other.bytes;
  failed += other.failed;
  latency_ns.merge(other.latency_ns);
  recorded_ns.merge(other.recorded_ns);
}

void PlayResult::merge(const PlayResult& other) {
  for (size_t i = 0; i < kinds.size(); ++i) kinds[i].merge(other.kinds[i]);
  late_ns.merge(other.late_ns);
  written_whole += other.written_whole;
  if (!error) error = other.error;
}

Result<PlayResult> play(const Plan& plan, storage::Store& store, const PlayOptions& options, world::Failure& failure) {
  Shared shared(plan, store, options, failure);
  const size_t wanted = store.traits().blocking ? options.at_once : std::min<size_t>(processors(), options.at_once);
  const size_t movers = std::min(wanted, std::max<size_t>(shared.moves.size(), 1));
  const auto depth = static_cast<uint32_t>((options.at_once + movers - 1) / movers);
  const size_t removers = std::min({shared.removals.size(), kMostRemovers, size_t{options.at_once}});
  std::vector<std::unique_ptr<storage::Session>> sessions;
  for (size_t i = 0; i < movers + removers; ++i) {
    auto session = store.open_session(i < movers ? depth : 1);
    if (!session) return fail(std::move(session.error()));
    sessions.push_back(std::move(*session));
  }
  shared.began_ns = now_ns();
  const Status ran =
      run_on_threads(movers + removers, {.name = "replay threads", .fewer_by = "--concurrency"}, [&](size_t i) {
        if (i < movers) return move_all(shared, std::move(sessions[i]), depth);
        remove_all(shared, *sessions[i]);
      });
  if (!ran) return fail(ran.error());
  shared.result.duration_ns = now_ns() - shared.began_ns;
  if (!failure.raised()) return std::move(shared.result);
  shared.result.not_played = plan.operations.size();
  for (const KindResult& kind : shared.result.kinds) shared.result.not_played -= kind.operations + kind.failed;
  if (Status aborted = abort_open(shared); !aborted) return fail(std::move(aborted.error()));
  return std::move(shared.result);
}

}  // namespace mlps::replay
