#include "storage/fault/fault_plan.hpp"

#include "support.hpp"

namespace mlps::storage::fault {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<FaultPlan> plan_of(std::string_view spec) {
  auto plan = FaultPlan::parse(spec, 1);
  EXPECT_TRUE(plan) << render(plan.error());
  return std::move(*plan);
}

TEST(FaultPlan, TheFirstOperationMeetsItUnlessToldOtherwise) {
  const auto plan = plan_of("denied:write_part");
  EXPECT_FALSE(plan->match(OpKind::kReadPart, "x"));
  EXPECT_EQ(plan->match(OpKind::kWritePart, "x")->kind, FaultKind::kDenied);
  EXPECT_FALSE(plan->match(OpKind::kWritePart, "x"));
}

TEST(FaultPlan, CountsOnlyObjectsWithTheSubstring) {
  const auto plan = plan_of("flip:read_part:step2/rank_3@2");
  EXPECT_FALSE(plan->match(OpKind::kReadPart, "m/step2/rank_3_model"));
  EXPECT_FALSE(plan->match(OpKind::kReadPart, "m/step1/rank_3_model"));
  EXPECT_EQ(plan->match(OpKind::kReadPart, "m/step2/rank_3_optim")->kind, FaultKind::kFlip);
  EXPECT_FALSE(plan->match(OpKind::kReadPart, "m/step2/rank_3_optim"));
}

TEST(FaultPlan, APlusMeansAllFromThere) {
  const auto plan = plan_of("slow=5:write_part@3+");
  EXPECT_FALSE(plan->match(OpKind::kWritePart, "x"));
  EXPECT_FALSE(plan->match(OpKind::kWritePart, "x"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(plan->match(OpKind::kWritePart, "x")->amount, 5);
}

TEST(FaultPlan, ARateIsOfAllOperationsFromTheNthOn) {
  const auto plan = plan_of("rate=1MiB:read_part@2");
  EXPECT_FALSE(plan->match(OpKind::kReadPart, "x"));
  const auto first = plan->match(OpKind::kReadPart, "x");
  const auto second = plan->match(OpKind::kReadRange, "y");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->kind, FaultKind::kRate);
  EXPECT_EQ(first->amount, 1 << 20);
  EXPECT_EQ(first->limit, second->limit);
}

TEST(FaultPlan, ARateLetsBytesPassOneAfterTheOther) {
  RateLimit limit;
  constexpr Nanos kSecond = 1'000'000'000;
  EXPECT_EQ(limit.admit(50, 100, 0), kSecond / 2);
  EXPECT_EQ(limit.admit(100, 100, 0), 3 * kSecond / 2);               // behind the first
  EXPECT_EQ(limit.admit(100, 100, kSecond), 5 * kSecond / 2);         // still
  EXPECT_EQ(limit.admit(10, 100, 10 * kSecond), 101 * kSecond / 10);  // what was not used in between is not made up for
}

TEST(FaultPlan, SeveralFaultsCountSideBySide) {
  const auto plan = plan_of("reset:begin_write@2,full:begin_write@1,hang:commit_write");
  EXPECT_EQ(plan->match(OpKind::kBeginWrite, "x")->kind, FaultKind::kFull);
  EXPECT_EQ(plan->match(OpKind::kBeginWrite, "x")->kind, FaultKind::kReset);
  EXPECT_EQ(plan->match(OpKind::kCommitWrite, "x")->kind, FaultKind::kHang);
}

TEST(FaultPlan, TransientFaultsHaveTheirDefaults) {
  EXPECT_EQ(plan_of("reset:write_part")->match(OpKind::kWritePart, "x")->amount, kMaxAttempts);
  EXPECT_EQ(plan_of("slowdown:write_part")->match(OpKind::kWritePart, "x")->amount, 2);
  EXPECT_EQ(plan_of("error500=1:write_part")->match(OpKind::kWritePart, "x")->amount, 1);
}

TEST(FaultPlan, RefusalsNameTheWordAndTheLegalOnes) {
  struct Row {
    const char* spec;
    const char* message;
    const char* details;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", "unknown fault \"\"", "reset, error500, slowdown"},
           {"explode:write_part", "unknown fault \"explode\"", "denied, short, lost, flip, full, slow, rate, hang"},
           {"reset", "can't happen to \"\"", "begin_write, write_part, commit_write"},
           {"reset:write", "can't happen to \"write\"", "read_part, end_read"},
           {"lost:read_part", "fault \"lost\" can't happen to \"read_part\"", "write_part, commit_write"},
           {"hang:abort_write", "can't happen to \"abort_write\"", "begin_write"},
           {"reset:write_part@0", "\"0\" is no count", "@1"},
           {"reset:write_part@", "\"\" is no count", "@1"},
           {"reset:write_part@x", "\"x\" is no count", "@1"},
           {"reset:write_part@99999999999999999999", "is no count", "@1"},
           {"slow=-1:write_part", "\"-1\" can't be the number", "milliseconds"},
           {"slow=9999999999:write_part", "can't be the number", "milliseconds"},
           {"denied=2:write_part", "\"2\" can't be the number of fault \"denied\"", "milliseconds"},
           {"rate:read_part", "\"\" can't be the number of fault \"rate\"", "rate=100MiB"},
           {"rate=0:read_part", "\"0\" can't be the number", "bytes per second"},
           {"rate=fast:read_part", "\"fast\" can't be the number", "bytes per second"},
           {"rate=1MiB:begin_read", "fault \"rate\" can't happen to \"begin_read\"", "write_part, read_part"},
           {"reset:write_part,,", "unknown fault \"\"", "reset"},
       }) {
    const auto plan = FaultPlan::parse(row.spec, 1);
    ASSERT_FALSE(plan) << row.spec;
    EXPECT_EQ(plan.error().code, ErrorCode::kConfigInvalid);
    EXPECT_THAT(plan.error().message, HasSubstr(row.message)) << row.spec;
    EXPECT_THAT(plan.error().details, HasSubstr(row.details)) << row.spec;
  }
}

TEST(FaultPlan, TheFlippedBitLiesInThePartAndDependsOnSeedObjectAndPart) {
  const auto one = plan_of("flip:read_part");
  const auto two = std::move(*FaultPlan::parse("flip:read_part", 2));
  for (const uint64_t length : {1UL, 7UL, 4096UL}) EXPECT_LT(one->bit_of("x", 0, length), length * 8);
  EXPECT_NE(one->bit_of("x", 0, 1 << 20), one->bit_of("x", 1, 1 << 20));
  EXPECT_NE(one->bit_of("x", 0, 1 << 20), one->bit_of("y", 0, 1 << 20));
  EXPECT_NE(one->bit_of("x", 0, 1 << 20), two->bit_of("x", 0, 1 << 20));
  EXPECT_EQ(one->bit_of("x", 0, 1 << 20), plan_of("flip:read_part")->bit_of("x", 0, 1 << 20));
}

}  // namespace
}  // namespace mlps::storage::fault
