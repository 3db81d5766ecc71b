#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "benchmarks/training/durability_rounds.hpp"
#include "sync.hpp"
#include "world/rank_barrier.hpp"

namespace mlps::model {
namespace {

using Failure = world::BasicFailure<ModelSync>;
constexpr size_t kProcesses = 2;

/// Two processes that write, with a collective call between them.
template <class Loop>
struct Job {
  explicit Job(uint64_t files_of_each) : files(files_of_each) {}
  struct Process {
    Loop loop;
    Atomic<uint64_t> written, flushed_by_rounds, flushed_by_writer;
    uint64_t durable() { return std::max(flushed_by_rounds.load(), flushed_by_writer.load()); }
    std::array<uint64_t, 2> said{};  // of the current round: whole, and whether it writes
    int rounds = 0;
  };
  const uint64_t files;
  Failure failure;
  world::BasicRankBarrier<ModelSync> barrier{kProcesses, failure};
  std::array<Process, kProcesses> processes;
  uint64_t journaled = 0;
};

/// What one process does in a round; checks that nothing is called whole that a crash of a host could take.
template <class Loop>
struct Steps {
  Job<Loop>& job;
  size_t self;

  typename Job<Loop>::Process& mine() { return job.processes[self]; }
  // The first interval may be over at any moment; then only the end of writing, or a failure, begins a round.
  Nanos deadline() { return mine().rounds++ == 0 ? 1 : kNoDeadline; }
  uint64_t whole() { return mine().written.load(); }
  Status make_durable(uint64_t) {
    mine().flushed_by_rounds.store(mine().written.load());
    return {};
  }
  Result<training::Agreement> agree(uint64_t whole, bool writes) {
    mine().said = {whole, writes ? uint64_t{1} : 0};
    if (!job.barrier.arrive([] { return true; })) return fail(ErrorCode::kInterrupted, "stop");
    training::Agreement agreed{job.files, false};
    for (const auto& process : job.processes) {
      agreed.whole = std::min(agreed.whole, process.said[0]);
      agreed.any_writes = agreed.any_writes || process.said[1] != 0;
    }
    if (!job.barrier.arrive([] { return true; })) return fail(ErrorCode::kInterrupted, "stop");
    return agreed;
  }
  Status journal(uint64_t whole) {
    if (self != 0) return {};
    for (auto& process : job.processes) {
      check(whole <= process.durable(), "the journal is ahead of what is durable");
    }
    check(whole >= job.journaled, "the journal went back");
    job.journaled = whole;
    return {};
  }
};

template <class Loop>
std::shared_ptr<Job<Loop>> rounds_scenario(Execution& execution, uint64_t files) {
  const auto job = std::make_shared<Job<Loop>>(files);
  for (size_t self = 0; self < kProcesses; ++self) {
    const std::string name = std::to_string(self);
    execution.thread("rounds " + name, [job, self] {
      Steps<Loop> steps{*job, self};
      const auto wake = job->failure.on_raise([&] { job->processes[self].loop.stop(false); });
      const Status ran = job->processes[self].loop.run(steps);
      if (ran) return;
      check(job->failure.raised(), "rounds failed without a failure");
    });
    execution.thread("writer " + name, [job, self] {
      auto& mine = job->processes[self];
      for (uint64_t file = 1; file <= job->files && !job->failure.raised(); ++file) mine.written.store(file);
      if (mine.written.load() < job->files) return;
      mine.flushed_by_writer.store(job->files);
      mine.loop.stop(true);
    });
  }
  return job;
}

/// Rounds as they must not be: the end of writing wakes nobody.
template <class Sync>
class NotWoken : public training::BasicRoundLoop<Sync> {
 public:
  void stop(bool) {}
};

TEST(DurabilityModel, TheJournalIsNeverAheadAndAtLastComplete) {
  const Report report = explore({.max_preemptions = 1}, [](Execution& execution) {
    const auto job = rounds_scenario<training::BasicRoundLoop<ModelSync>>(execution, 2);
    execution.at_end([job] { check(job->journaled == job->files, "the journal lacks files that are written"); });
  });
  EXPECT_TRUE(report.proves()) << report.text();
  std::cout << report.text() << '\n';
}

TEST(DurabilityModel, AFailureAtAnyMomentEndsTheRounds) {
  const Report report = explore({.max_preemptions = 1}, [](Execution& execution) {
    const auto job = rounds_scenario<training::BasicRoundLoop<ModelSync>>(execution, 1);
    execution.thread("failure", [job] { job->failure.raise({ErrorCode::kInterrupted, "stop"}); });
  });
  EXPECT_TRUE(report.proves()) << report.text();
  std::cout << report.text() << '\n';
}

TEST(DurabilityModel, FindsAnEndThatWakesNobody) {
  const Report report =
      explore({.max_preemptions = 1}, [](Execution& execution) { rounds_scenario<NotWoken<ModelSync>>(execution, 1); });
  EXPECT_FALSE(report.failure.empty()) << report.text();
}

}  // namespace
}  // namespace mlps::model
