#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "sync.hpp"
#include "world/rank_barrier.hpp"
#include "world/request_slot.hpp"

namespace mlps::world {
namespace {

using model::check;
using model::Execution;
using model::explore;
using model::ModelSync;
using model::Report;

using Failure = BasicFailure<ModelSync>;

void expect_proof(const Report& report) {
  std::cout << report.text() << '\n';
  EXPECT_TRUE(report.proves()) << report.text();
}

struct Host {
  explicit Host(uint32_t ranks) : barrier(ranks, failure) {}
  Failure failure;
  BasicRankBarrier<ModelSync> barrier;
  model::Atomic<int> arrived{0};
};

/// `ranks` threads meet `times` times, and check that nobody is left behind.
std::shared_ptr<Host> barrier_scenario(Execution& execution, uint32_t ranks, int times) {
  const auto host = std::make_shared<Host>(ranks);
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    execution.thread("rank " + std::to_string(rank), [=] {
      for (int time = 1; time <= times; ++time) {
        host->arrived.fetch_add(1);
        if (!host->barrier.arrive([] { return true; })) {
          return check(host->failure.raised(), "a barrier is broken without a failure");
        }
        check(host->arrived.load() >= time * static_cast<int>(ranks), "a rank went on before the others were there");
      }
    });
  }
  return host;
}

TEST(BarrierModel, RanksMeetInEveryInterleaving) {
  expect_proof(explore({}, [](Execution& execution) { barrier_scenario(execution, 2, 2); }));
  expect_proof(explore({.max_preemptions = 2}, [](Execution& execution) { barrier_scenario(execution, 3, 2); }));
}

TEST(BarrierModel, AFailureAtAnyMomentEndsTheWait) {
  const auto scenario = [](Execution& execution, uint32_t ranks) {
    const auto host = barrier_scenario(execution, ranks, 2);
    execution.thread("failure", [host] { host->failure.raise({ErrorCode::kInterrupted, "stop"}); });
  };
  expect_proof(explore({}, [&](Execution& execution) { scenario(execution, 2); }));
  expect_proof(explore({.max_preemptions = 1}, [&](Execution& execution) { scenario(execution, 3); }));
}

// A rank that stopped by itself never comes: only the failure can end the others' wait.
TEST(BarrierModel, ARankThatDoesNotComeHoldsNobodyAfterAFailure) {
  expect_proof(explore({}, [](Execution& execution) {
    const auto host = std::make_shared<Host>(3);
    for (const char* name : {"rank 0", "rank 1"}) {
      execution.thread(name, [host] { check(!host->barrier.arrive([] { return true; }), "met nobody"); });
    }
    execution.thread("rank 2", [host] { host->failure.raise({ErrorCode::kInterrupted, "stop"}); });
  }));
}

TEST(BarrierModel, AFailureEndsAPauseAndTheDeadlineEndsOneWithoutFailure) {
  expect_proof(explore({}, [](Execution& execution) {
    const auto host = std::make_shared<Host>(1);
    execution.thread("rank", [host] {
      const bool whole = host->barrier.pause_until(1'000);
      check(whole == (ModelSync::now() == 1'000) || host->failure.raised(), "the pause was cut short");
    });
    execution.thread("failure", [host] { host->failure.raise({ErrorCode::kInterrupted, "stop"}); });
  }));
  expect_proof(explore({}, [](Execution& execution) {
    const auto host = std::make_shared<Host>(1);
    execution.thread("rank", [host] { check(host->barrier.pause_until(1'000), "failed"); });
  }));
}

TEST(FailureModel, EveryListenerRunsOnceAndNoneAfterItsSubscription) {
  expect_proof(explore({}, [](Execution& execution) {
    struct Shared {
      Failure failure;
      int calls = 0;
      bool subscribed = true;
    };
    const auto shared = std::make_shared<Shared>();
    execution.thread("listener", [shared] {
      {
        const auto subscription = shared->failure.on_raise([shared] {
          check(shared->subscribed, "called after the subscription");
          ++shared->calls;
        });
      }
      shared->subscribed = false;
      check(shared->calls <= 1, "called twice");
    });
    for (const int code : {1, 2}) {
      execution.thread("raiser", [shared, code] {
        shared->failure.raise({ErrorCode::kInternal, std::to_string(code)});
      });
    }
    execution.at_end(
        [shared] { check(shared->failure.raised() && shared->failure.first().has_value(), "not raised"); });
  }));
}

struct Request {
  model::Atomic<bool> done{false};
  int answer = 0;
};
using Slot = BasicRequestSlot<ModelSync, Request>;

/// The server, until the last of `calls` requests has come back.
void slot_scenario(Execution& execution, int calls, bool waker) {
  const auto slot = std::make_shared<Slot>();
  execution.thread("MPI thread", [slot] {
    slot->serve([](Request& request) { ++request.answer; }, [] { return false; }, 1'000'000);
    slot->end();
  });
  execution.thread("caller", [slot, calls] {
    for (int i = 0; i < calls; ++i) {
      const auto request = std::make_shared<Request>();
      slot->post(request);
      const auto outcome = slot->wait(*request, 1'000'000, [] { return false; });
      check(outcome == Slot::Outcome::kDone && request->answer == 1, "a request was not carried out once");
    }
    check(slot->stop(INT64_MAX), "the server did not end");
  });
  if (waker) execution.thread("failure", [slot] { slot->wake(); });
}

TEST(RequestSlotModel, EveryRequestIsCarriedOutAndNoWaitNeedsItsDeadline) {
  expect_proof(explore({.early_deadlines = 0, .needs_no_deadlines = true},
                       [](Execution& execution) { slot_scenario(execution, 1, false); }));
  expect_proof(explore({.early_deadlines = 1, .needs_no_deadlines = true, .max_preemptions = 2},
                       [](Execution& execution) { slot_scenario(execution, 2, false); }));
  expect_proof(explore({.early_deadlines = 1, .needs_no_deadlines = true, .max_preemptions = 1},
                       [](Execution& execution) { slot_scenario(execution, 2, true); }));
}

TEST(RequestSlotModel, ACallerLearnsThatTheServerEndsWithoutAnAnswer) {
  expect_proof(explore({.early_deadlines = 0, .needs_no_deadlines = true}, [](Execution& execution) {
    const auto slot = std::make_shared<Slot>();
    execution.thread("MPI thread", [slot] { slot->end(); });
    execution.thread("caller", [slot] {
      const auto request = std::make_shared<Request>();
      slot->post(request);
      check(slot->wait(*request, 1'000, [] { return false; }) == Slot::Outcome::kServerEnded, "no end");
    });
  }));
}

// As when a call of the MPI library never returns: the caller's deadline is what ends its wait.
TEST(RequestSlotModel, ACallerGivesUpOnAServerThatHangs) {
  expect_proof(explore({}, [](Execution& execution) {
    const auto slot = std::make_shared<Slot>();
    execution.thread("caller", [slot] {
      const auto request = std::make_shared<Request>();
      slot->post(request);
      const auto silent = [] { return ModelSync::now() >= 2'000; };
      check(slot->wait(*request, 1'000, silent) == Slot::Outcome::kGivenUp, "no end");
      check(!slot->stop(5'000), "ended");
    });
  }));
}

}  // namespace
}  // namespace mlps::world
