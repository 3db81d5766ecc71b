#include <gmock/gmock.h>

#include <cstdlib>
#include <set>

#include "benchmarks/checkpointing/stored_checkpoints.hpp"
#include "small_plan.hpp"

namespace mlps::checkpointing::test {
namespace {

using run::abort_all_uploads_after_loss;
using run::LostUploads;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

/// A process of a job of hosts a, b, c, of which some are gone.
class JobAfterAFailure : public world::Transport {
 public:
  JobAfterAFailure(uint32_t index, std::set<uint32_t> gone) : index_(index), gone_(std::move(gone)) {
    for (const char* host : {"a", "b", "c"}) members_.push_back({host, 1, {}});
    if (!gone_.empty()) failure().raise({ErrorCode::kHostUnreachable, "gone"});
  }
  uint32_t index() const override { return index_; }
  uint32_t size() const override { return 3; }
  const std::vector<world::Member>& members() const override { return members_; }
  bool lost(uint32_t process) override { return gone_.contains(process); }

  // Nobody speaks after a failure.
  Status barrier() override { return over(); }
  Status broadcast(world::Bytes&) override { return over(); }
  Result<std::vector<world::Bytes>> gather(world::Bytes) override { return fail(over().error()); }
  Status reduce(world::Reduction, std::span<double>) override { return over(); }
  Status close(Nanos) override { return over(); }
  [[noreturn]] void end_job(int) override { std::abort(); }

 private:
  Status over() { return fail(ErrorCode::kHostUnreachable, "gone"); }

  uint32_t index_;
  std::set<uint32_t> gone_;
  std::vector<world::Member> members_;
};

class LostUploadsTest : public ::testing::Test {
 protected:
  LostUploadsTest() {
    // One finished object, and uploads of each rank and of nobody.
    store.blobs["global_epoch1_step1/r1_0.pt"].complete = true;
    for (const char* name :
         {"global_epoch1_step1/r0_0.pt", "global_epoch1_step1/r1_1.pt", "global_epoch1_step2/r1_0.pt",
          "global_epoch1_step2/r2_2.pt", "global_epoch1_step9/r1_0.pt", "global_epoch1_step2/other"}) {
      store.blobs[name];
    }
    before = store.blobs.size();
  }

  LostUploads abort_in(uint32_t index, std::set<uint32_t> gone) {
    JobAfterAFailure job(index, std::move(gone));
    return abort_uploads_of_lost(plan, {{"a", 0, 1}, {"b", 1, 1}, {"c", 2, 1}}, job, store);
  }

  CheckpointPlan plan = small_plan(3, 2, 0);
  MemoryStore store;
  size_t before = 0;
};

TEST_F(LostUploadsTest, ThoseOfTheRanksThatAreGoneAreAborted) {
  const LostUploads lost = abort_in(0, {1});
  EXPECT_EQ(lost.aborted, 2U);
  EXPECT_EQ(lost.warning(), "host b is gone: 2 uploads that it had left open were aborted");
  EXPECT_THAT(store.blobs, ElementsAre(Key("global_epoch1_step1/r0_0.pt"), Key("global_epoch1_step1/r1_0.pt"),
                                       Key("global_epoch1_step2/other"), Key("global_epoch1_step2/r2_2.pt"),
                                       Key("global_epoch1_step9/r1_0.pt")));
}

TEST_F(LostUploadsTest, TheFirstThatIsLeftDoesIt) {
  EXPECT_THAT(abort_in(2, {1}).hosts, IsEmpty());
  EXPECT_THAT(abort_in(2, {0}).hosts, IsEmpty());
  EXPECT_EQ(store.blobs.size(), before);
  EXPECT_THAT(abort_in(1, {0}).hosts, ElementsAre("a"));
  EXPECT_EQ(abort_in(2, {0, 1}).warning(), "hosts a, b are gone: 2 uploads that they had left open were aborted");
}

TEST_F(LostUploadsTest, NothingIsDoneWithoutALossOrWithoutWrites) {
  EXPECT_THAT(abort_in(0, {}).hosts, IsEmpty());
  JobAfterAFailure failed(0, {});
  failed.failure().raise({ErrorCode::kDiskFull, "full"});
  EXPECT_EQ(abort_all_uploads_after_loss(failed, store).warning(), std::nullopt);
  plan.checkpoints_to_write = 0;
  EXPECT_THAT(abort_in(0, {1}).hosts, IsEmpty());
  EXPECT_EQ(store.blobs.size(), before);
}

TEST_F(LostUploadsTest, OfAFolderOfOnesOwnAllAreAborted) {
  JobAfterAFailure job(0, {1});
  EXPECT_EQ(abort_all_uploads_after_loss(job, store).aborted, 6U);
  EXPECT_THAT(store.blobs, ElementsAre(Key("global_epoch1_step1/r1_0.pt")));
}

TEST_F(LostUploadsTest, WhatGoesWrongIsSaid) {
  store.refuse_aborts({ErrorCode::kStorageDenied, "ListMultipartUploads: 403"});
  const LostUploads lost = abort_in(0, {1});
  EXPECT_EQ(lost.warning(), "uploads of host b may be open: [E602] ListMultipartUploads: 403");
}

}  // namespace
}  // namespace mlps::checkpointing::test
