#include "base/threads.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <new>
#include <stdexcept>
#include <vector>

#include "base/periodic_thread.hpp"

namespace mlps {
namespace {

using testing::HasSubstr;

TEST(Threads, RunEachIndexOnceAndAtTheSameTime) {
  std::mutex mutex;
  std::vector<size_t> seen;
  Condition changed;
  const Status ran = run_on_threads(5, {"test threads"}, [&](size_t index) {
    std::unique_lock lock(mutex);
    seen.push_back(index);
    changed.notify_all();
    changed.wait(lock, [&] { return seen.size() == 5; });  // hangs if they ran one after the other
  });
  ASSERT_TRUE(ran);
  EXPECT_THAT(seen, testing::UnorderedElementsAre(0, 1, 2, 3, 4));
}

TEST(Threads, NothingToRunIsDoneAtOnce) {
  EXPECT_TRUE(run_on_threads(0, {"test threads"}, [](size_t) { FAIL(); }));
  EXPECT_TRUE(Threads::start(0, {"test threads"}, [](size_t) { FAIL(); }));
}

TEST(Threads, AnExceptionIsAnErrorAndNotTheEndOfTheProcess) {
  for (const size_t thrower : {0U, 2U}) {
    std::atomic<int> ended{0}, told{0};
    const Status ran = run_on_threads(3, {"test threads", {}, [&](const Error&) { ++told; }}, [&](size_t index) {
      if (index == thrower) throw std::length_error("vector::resize");
      ++ended;
    });
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().code, ErrorCode::kInternal);
    EXPECT_THAT(ran.error().message, HasSubstr("test threads: vector::resize"));
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(told, 1);
  }
}

TEST(Threads, WhatIsThrownInTheBackgroundIsReportedByTheThread) {
  std::mutex mutex;
  std::vector<std::string> reported;
  auto threads = Threads::start(2,
                                {"helpers",
                                 {},
                                 [&](const Error& error) {
                                   const std::lock_guard lock(mutex);
                                   reported.push_back(error.message);
                                 }},
                                [](size_t index) {
                                  if (index == 0) throw 7;
                                  throw std::bad_alloc();
                                });
  ASSERT_TRUE(threads);
  threads->join();
  EXPECT_THAT(reported,
              testing::UnorderedElementsAre("helpers: an exception of an unknown type", "helpers: no memory left"));
}

TEST(PeriodicThread, CallsUntilItIsStopped) {
  std::mutex mutex;
  Condition changed;
  int ticks = 0;
  PeriodicThread thread;
  ASSERT_TRUE(thread.start(
      {"tickers"}, [] { return now_ns(); },
      [&] {
        const std::lock_guard lock(mutex);
        ++ticks;
        changed.notify_all();
      }));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ticks >= 3; });
  }
  thread.stop();
  const int last = ticks;
  thread.stop();
  EXPECT_EQ(ticks, last);
}

TEST(PeriodicThread, StopsInTheMiddleOfALongInterval) {
  PeriodicThread thread;
  ASSERT_TRUE(thread.start(
      {"tickers"}, [] { return now_ns() + 3600'000'000'000; }, [] { FAIL(); }));
  thread.stop();  // hangs if it waits for the interval
}

/// The limit counts all threads of the user, and doesn't hold for root: so a user who runs nothing else.
int try_under_limit(rlim_t limit) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit few{limit, limit};
    if (::setrlimit(RLIMIT_NPROC, &few) != 0 || ::setuid(54321) != 0) ::_exit(99);
    bool ran = false;
    const Status status = run_on_threads(8, {"test threads", "--io-workers"}, [&](size_t) { ran = true; });
    const bool good = !status && !ran && status.error().code == ErrorCode::kCommandFailed &&
                      status.error().message.find("refused to start test threads") != std::string::npos &&
                      status.error().details.find("(ulimit -u) " + std::to_string(limit)) != std::string::npos &&
                      status.error().suggestion.find("--io-workers") != std::string::npos;
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Threads, ARefusalNamesTheLimitAndRunsNothing) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root, to become a user without processes";
  for (const rlim_t limit : {1U, 2U, 5U}) EXPECT_EQ(try_under_limit(limit), 0) << limit;
}

}  // namespace
}  // namespace mlps
