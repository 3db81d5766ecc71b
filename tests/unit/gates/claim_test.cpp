#include "gates/claim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "../support/memory_store.hpp"
#include "storage/posix/file_store.hpp"
#include "temporary_folder.hpp"

namespace mlps::gates {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Claims : public ::testing::Test {
 protected:
  Result<std::unique_ptr<FolderClaim>> take() { return FolderClaim::take(*store_, "mlpstorage test", failure_); }
  /// Returns the only claim that is there.
  std::filesystem::path claim_file() const {
    return std::filesystem::directory_iterator(place_.path() + "/.mlpstorage-claims")->path();
  }
  void change_claim(const std::string& line, const std::string& value) {
    std::string text;
    {
      std::ifstream file(claim_file());
      for (std::string old; std::getline(file, old);) {
        text += (old.starts_with(line + ":") ? line + ": " + value : old) + "\n";
      }
    }
    std::ofstream(claim_file()) << text;
  }

  const TemporaryFolder place_;
  const std::unique_ptr<storage::Store> store_ =
      storage::open_file_store(Location(Scheme::kFile, "", place_.path()), storage::FadviseMode::kNone).value();
  world::Failure failure_;
};

TEST_F(Claims, TheSecondIsRefusedWithHostAndProcessAndTheFirstLeavesNothing) {
  auto first = take();
  ASSERT_TRUE(first) << render(first.error());
  const auto second = take();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInvalidStructure);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr(place_.path() + " is in use: process " + std::to_string(::getpid()) + " on host "),
                    HasSubstr("has been writing there since ")));
  EXPECT_EQ(second.error().details, "mlpstorage test");
  const Status reader = look_for_claims(*store_);
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message, HasSubstr("is in use"));
  first->reset();
  EXPECT_EQ(place_.entries(), 0U);
  EXPECT_TRUE(look_for_claims(*store_));
  EXPECT_TRUE(take());
}

TEST_F(Claims, OfManyAtOnceExactlyOneStays) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> taken{0}, arrived{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        ++arrived;
        while (arrived < 4) std::this_thread::yield();
        const auto claim = take();
        if (claim) ++taken;
        ++arrived;
        while (arrived < 8) std::this_thread::yield();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, 1) << round;
    EXPECT_EQ(place_.entries(), 0U);
  }
}

TEST_F(Claims, AKilledProcessHoldsNothing) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto claim = take();
    ::_exit(claim ? 0 : 1);  // without giving it up
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(place_.entries(), 1U);
  EXPECT_TRUE(take());
  EXPECT_EQ(place_.entries(), 0U);
}

TEST_F(Claims, AnEarlierStartOfTheMachineOrAProcessNumberUsedAgainHoldNothing) {
  for (const char* line : {"boot", "start"}) {
    const auto claim = take();
    ASSERT_TRUE(claim);
    EXPECT_FALSE(look_for_claims(*store_));
    change_claim(line, "other");
    EXPECT_TRUE(look_for_claims(*store_)) << line;
  }
}

TEST_F(Claims, OfAnotherHostItCantBeSeenWhetherTheProcessRuns) {
  const auto claim = take();
  ASSERT_TRUE(claim);
  change_claim("host", "far-away");
  change_claim("pid", "1234567");
  const auto second = take();
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("process 1234567 on host far-away"));
  EXPECT_THAT(second.error().suggestion, HasSubstr("remove " + claim_file().string()));
}

TEST(ClaimsOfBuckets, AreObjectsBelowThePrefix) {
  test::MemoryStore store;
  world::Failure failure;
  auto claim = FolderClaim::take(store, "mlpstorage test", failure);
  ASSERT_TRUE(claim);
  ASSERT_EQ(store.blobs.size(), 1U);
  EXPECT_THAT(store.blobs.begin()->first, ::testing::StartsWith(".mlpstorage-claims/."));
  EXPECT_FALSE(FolderClaim::take(store, "mlpstorage test", failure));
  EXPECT_FALSE(look_for_claims(store));
  claim->reset();
  EXPECT_TRUE(store.blobs.empty());
}

}  // namespace
}  // namespace mlps::gates
