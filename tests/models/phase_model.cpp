// How I/O threads go through the phases of a checkpoint run: phase gate, phase work and rank queues.
#include <gtest/gtest.h>

#include "io/phase_gate.hpp"
#include "io/phase_work.hpp"
#include "sync.hpp"

namespace mlps::model {
namespace {

using Gate = io::BasicPhaseGate<ModelSync>;
using Work = io::BasicPhaseWork<ModelSync>;
using Queue = Work::RankQueue;

/// The shared failure, as far as the protocol knows it: raised once, then the listener runs.
struct ModelFailure {
  Atomic<bool> raised{false};
  std::function<void()> listener;
  void raise() {
    if (!raised.exchange(true)) listener();
  }
};

/// A gate as it stood before: threads wait for all to be drained, but only those that saw the failure say that they
/// are.
class GateThatCountsOnlyWhoSawIt {
 public:
  explicit GateThatCountsOnlyWhoSawIt(uint32_t threads) : threads_(threads) {}
  void begin() {
    const std::lock_guard lock(mutex_);
    ++phase_;
    inside_ = threads_;
    drained_ = 0;
    changed_.notify_all();
  }
  void wait_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == 0; });
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool enter(uint64_t& seen) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || phase_ != seen; });
    if (phase_ == seen) return false;
    seen = phase_;
    return true;
  }
  void drained() {}
  void wait_drained() {
    std::unique_lock lock(mutex_);
    ++drained_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return drained_ == threads_; });
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    changed_.notify_all();
  }

 private:
  const uint32_t threads_;
  Mutex mutex_;
  Condition changed_;
  uint64_t phase_ = 0;
  uint32_t inside_ = 0, drained_ = 0;
  bool stopped_ = false;
};

/// One thread's way through all phases. `work` returns when nothing is in flight; nobody else may be working when
/// anybody cleans up.
template <class AnyGate>
void serve(AnyGate& gate, ModelFailure& failure, int& working, const std::function<void()>& work) {
  for (uint64_t phase = 0; gate.enter(phase);) {
    ++working;
    work();
    --working;
    gate.drained();
    if (failure.raised) {
      gate.wait_drained();
      check(working == 0, "cleans up while another thread has something in flight");
    }
    gate.leave();
  }
}

/// An owner that lets two threads go through one phase, while a failure comes at any moment.
template <class AnyGate>
void gate_scenario(Execution& execution, int phases) {
  struct Shared {
    AnyGate gate{2};
    ModelFailure failure;
    int working = 0;  // for checks: the threads are fibers of one thread
  };
  const auto shared = std::make_shared<Shared>();
  shared->failure.listener = [] {};
  execution.thread("owner", [shared, phases] {
    for (int i = 0; i < phases; ++i) {
      shared->gate.begin();
      shared->gate.wait_idle();
    }
    shared->gate.stop();
  });
  for (const char* name : {"I/O thread 0", "I/O thread 1"}) {
    execution.thread(name, [shared] { serve(shared->gate, shared->failure, shared->working, [] {}); });
  }
  execution.thread("signal", [shared] { shared->failure.raise(); });
}

TEST(PhaseGateModel, AFailureAtAnyMomentHangsNobodyAndIsCleanedUpInQuiet) {
  const Report report = explore({.max_preemptions = 2}, [](Execution& e) { gate_scenario<Gate>(e, 1); });
  EXPECT_TRUE(report.proves()) << report.text();
  std::cout << report.text() << '\n';
}

TEST(PhaseGateModel, PhaseFollowsPhase) {
  const Report report = explore({.max_preemptions = 1}, [](Execution& e) { gate_scenario<Gate>(e, 2); });
  EXPECT_TRUE(report.proves()) << report.text();
}

// The fault that made checkpoint runs hang when a signal came at the end of a checkpoint.
TEST(PhaseGateModel, FindsTheHangOfAGateThatCountsOnlyWhoSawTheFailure) {
  const Report report =
      explore({.max_preemptions = 2}, [](Execution& e) { gate_scenario<GateThatCountsOnlyWhoSawIt>(e, 1); });
  EXPECT_FALSE(report.failure.empty()) << report.text();
}

/// Takes steps as an I/O thread does: begin, parts, commit; nothing is in flight on return.
void move_objects(Work& work, ModelFailure& failure) {
  work.wait_started();
  for (;;) {
    const auto key = work.prepare_wait();
    bool took = false;
    for (size_t place = 0; place < work.size() && !failure.raised; ++place) {
      Queue& queue = work.queue(place);
      Queue::Step step;
      if (queue.take(step) != Queue::Taken::kStep) continue;
      took = true;
      if (step.is_begin) {
        work.opened(*step.object);
      } else if (step.object->parts_left.fetch_sub(1) == 1 && !failure.raised) {
        work.completed(queue, *step.object, 7);
      }
    }
    if (took) continue;
    if (work.finished() || failure.raised) return;
    work.wait(key);
  }
}

std::unique_ptr<storage::Object> object_of(uint64_t parts) {
  return std::make_unique<storage::Object>(storage::ObjectSpec{"o", parts, 1, {}}, 1);
}

struct WorkShared {
  explicit WorkShared(uint32_t ranks) : work(true, "write of checkpoint 1", ranks) {}
  Work work;
  ModelFailure failure;
};

/// Ranks that activate their queues and wait for them, and I/O threads that move what is in them.
std::shared_ptr<WorkShared> work_scenario(Execution& execution, const std::vector<std::vector<uint64_t>>& parts,
                                          int threads) {
  const auto shared = std::make_shared<WorkShared>(static_cast<uint32_t>(parts.size()));
  for (size_t place = 0; place < parts.size(); ++place) {
    for (const uint64_t count : parts[place]) shared->work.queue(place).add(object_of(count));
  }
  shared->failure.listener = [raw = shared.get()] { raw->work.stop(); };
  for (size_t place = 0; place < parts.size(); ++place) {
    execution.thread("rank " + std::to_string(place), [shared, place] {
      shared->work.activate(place, 1);
      const bool done = shared->work.queue(place).wait_done();
      check(done || shared->failure.raised, "stopped without a failure");
    });
  }
  for (int i = 0; i < threads; ++i) {
    execution.thread("I/O thread " + std::to_string(i), [shared] { move_objects(shared->work, shared->failure); });
  }
  return shared;
}

TEST(PhaseWorkModel, EveryRankIsDoneAndEveryThreadLeaves) {
  const std::vector<std::vector<std::vector<uint64_t>>> plans = {{{}}, {{1}}, {{2}}, {{1, 1}}, {{}, {1}}, {{}, {}}};
  for (const auto& plan : plans) {
    const Report report = explore({.max_preemptions = 1}, [&](Execution& execution) {
      const auto shared = work_scenario(execution, plan, 2);
      execution.at_end([shared] { check(shared->work.finished(), "the work is not finished"); });
    });
    EXPECT_TRUE(report.proves()) << report.text();
    std::cout << report.text() << '\n';
  }
}

TEST(PhaseWorkModel, AFailureAtAnyMomentHangsNobody) {
  for (const auto& plan : std::vector<std::vector<std::vector<uint64_t>>>{{{}}, {{1}}, {{}, {1}}}) {
    const Report report = explore({.max_preemptions = 1}, [&](Execution& execution) {
      const auto shared = work_scenario(execution, plan, 1);
      execution.thread("signal", [shared] { shared->failure.raise(); });
    });
    EXPECT_TRUE(report.proves()) << report.text();
    std::cout << report.text() << '\n';
  }
}

}  // namespace
}  // namespace mlps::model
