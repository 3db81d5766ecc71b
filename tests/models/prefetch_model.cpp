// How reads are handed from I/O threads to the step loop of a training run.
#include <gtest/gtest.h>

#include "../unit/training/fake_format.hpp"
#include "benchmarks/training/prefetch_queue.hpp"
#include "sync.hpp"

namespace mlps::model {
namespace {

using ReadQueue = training::BasicPrefetchQueue<ModelSync>;

const training::Pass& one_sample_a_read() {
  static const test::FakeFormat format(10, {1});
  static const training::Pass pass{1, nullptr, training::EpochOrder(1, 1, workloads::Shuffle::kOff, 0),
                                   training::ExtentMap(format, 1), std::nullopt};
  return pass;
}

struct ReadShared {
  ReadShared(uint32_t ranks, uint64_t in_flight_of_pass) : queue(0, ranks, 2), in_flight(in_flight_of_pass) {}
  ReadQueue queue;
  const uint64_t in_flight;
  Atomic<bool> raised{false};
  void raise() {
    raised = true;
    queue.wake_all();
  }
};

/// As an I/O thread: claims and completes until the queue is closed, or the run has failed.
void read(ReadShared& shared) {
  ReadQueue& queue = shared.queue;
  for (;;) {
    const auto key = queue.reads_available().prepare_wait();
    bool claimed = false;
    for (uint32_t rank = 0; rank < queue.size() && !shared.raised; ++rank) {
      const ReadQueue::Claim claim = queue.claim(rank, 1);
      claimed = claimed || claim.count != 0;
      for (uint64_t i = 0; i < claim.count; ++i) {
        if (queue.stream(rank).complete(claim.first + i)) queue.publish_ready(rank);
      }
    }
    if (claimed) continue;
    if (queue.closed() || shared.raised) return;
    queue.reads_available().wait(key);
  }
}

/// As the step loop: takes `batches` batches of one sample on every rank, one read ahead, and raises the limit of what
/// may be claimed after it has looked for the batch; then closes the queue. `looks_again`: asks for a failure after
/// taking the key, as it must.
void consume(ReadShared& shared, uint64_t batches, bool looks_again = true) {
  ReadQueue& queue = shared.queue;
  queue.begin(one_sample_a_read(), batches, shared.in_flight);
  std::vector<uint64_t> taken(queue.size(), 0);
  std::vector<uint32_t> ready;
  uint64_t left = batches * queue.size();
  const auto advance = [&](uint32_t rank) {
    while (taken[rank] < batches) {
      const uint64_t begun = taken[rank] + 1;
      const bool ready_now = queue.stream(rank).ready(1);
      if (ready_now) {
        queue.stream(rank).take(1);
        ++taken[rank];
        --left;
      }
      queue.wake_readers(queue.stream(rank).raise_claim_limit(begun + 1));
      if (!ready_now) return;
    }
  };
  for (uint32_t rank = 0; rank < queue.size(); ++rank) advance(rank);
  while (left != 0 && !shared.raised) {
    const auto key = queue.batch_ready().prepare_wait();
    queue.take_ready(ready);
    for (const uint32_t rank : ready) advance(rank);
    if (ready.empty() && !(looks_again && shared.raised)) queue.batch_ready().wait(key);
  }
  queue.close();
}

Report explore_queue(uint32_t ranks, uint64_t batches, int readers, bool fails) {
  return explore({.max_preemptions = 1}, [&](Execution& execution) {
    const auto shared = std::make_shared<ReadShared>(ranks, 2);
    execution.thread("step loop", [shared, batches] { consume(*shared, batches); });
    for (int i = 0; i < readers; ++i) {
      execution.thread("I/O thread " + std::to_string(i), [shared] { read(*shared); });
    }
    if (fails) execution.thread("signal", [shared] { shared->raise(); });
  });
}

TEST(PrefetchModel, EveryBatchArrivesAndNoThreadSleepsOn) {
  for (const auto& [ranks, batches, readers] : {std::tuple{1U, 2U, 1}, {1U, 2U, 2}, {2U, 1U, 2}, {1U, 3U, 1}}) {
    const Report report = explore_queue(ranks, batches, readers, false);
    EXPECT_TRUE(report.proves()) << ranks << " ranks: " << report.text();
    std::cout << report.text() << '\n';
  }
}

TEST(PrefetchModel, AFailureAtAnyMomentHangsNobody) {
  const Report report = explore_queue(1, 2, 1, true);
  EXPECT_TRUE(report.proves()) << report.text();
  std::cout << report.text() << '\n';
}

// The fault that could make a training run sleep through its failure: raised between a look and taking the key.
TEST(PrefetchModel, FindsTheStepLoopThatTakesItsKeyAfterLookingForAFailure) {
  const Report report = explore({.max_preemptions = 2}, [&](Execution& execution) {
    const auto shared = std::make_shared<ReadShared>(1, 2);
    execution.thread("step loop", [shared] { consume(*shared, 2, false); });
    execution.thread("I/O thread", [shared] { read(*shared); });
    execution.thread("signal", [shared] { shared->raise(); });
  });
  EXPECT_FALSE(report.failure.empty()) << report.text();
}

/// As it stood before: an I/O thread that is told to take no part any more goes to sleep elsewhere, with the wake-up
/// that it got and does not pass on.
void read_or_retire(ReadShared& shared, BasicEventCount<ModelSync>& parked, Atomic<int>& taking_part, int index) {
  ReadQueue& queue = shared.queue;
  for (;;) {
    const auto key = queue.reads_available().prepare_wait();
    bool claimed = false;
    if (index < taking_part) {
      const ReadQueue::Claim claim = queue.claim(0, 1);
      claimed = claim.count != 0;
      for (uint64_t i = 0; i < claim.count; ++i) {
        if (queue.stream(0).complete(claim.first + i)) queue.publish_ready(0);
      }
    }
    if (claimed) continue;
    if (queue.closed()) return;
    if (index < taking_part) {
      queue.reads_available().wait(key);
      continue;
    }
    const auto parked_key = parked.prepare_wait();
    if (index < taking_part || queue.closed()) continue;
    parked.wait(parked_key);
  }
}

// The fault that made training runs hang when a slow start was followed by fast reads.
TEST(PrefetchModel, FindsTheWakeUpThatARetiredThreadTakesAway) {
  const Report report = explore({.max_preemptions = 2}, [](Execution& execution) {
    struct Adaptive : ReadShared {
      Adaptive() : ReadShared(1, 2) {}
      BasicEventCount<ModelSync> parked;
      Atomic<int> taking_part{2};
    };
    const auto shared = std::make_shared<Adaptive>();
    execution.thread("step loop", [shared] {
      consume(*shared, 3);
      shared->parked.notify();
    });
    for (int i = 0; i < 2; ++i) {
      execution.thread("I/O thread " + std::to_string(i),
                       [shared, i] { read_or_retire(*shared, shared->parked, shared->taking_part, i); });
    }
    execution.thread("quiet reads", [shared] { shared->taking_part = 1; });
  });
  EXPECT_FALSE(report.failure.empty()) << report.text();
}

}  // namespace
}  // namespace mlps::model
