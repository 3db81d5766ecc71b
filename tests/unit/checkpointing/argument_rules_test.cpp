#include "benchmarks/checkpointing/argument_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flags/accelerators.hpp"

namespace mlps::checkpointing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

workloads::CheckpointWorkload workload_of(std::string_view model) {
  return *workloads::load_checkpoint_workload(model, {});
}

Arguments legal(cli::Mode mode, uint32_t processes) {
  Arguments arguments;
  arguments.mode = mode;
  arguments.processes = processes;
  arguments.checkpoints_to_write = 10;
  arguments.checkpoints_to_read = 10;
  arguments.checkpoint_bytes = 1;
  return arguments;
}

std::vector<std::string> errors_of(const Arguments& arguments, std::string_view model) {
  std::vector<std::string> texts;
  for (const Error& error : check_arguments(arguments, workload_of(model)).errors) {
    EXPECT_FALSE(error.suggestion.empty()) << error.message;
    texts.push_back(render(error));
  }
  return texts;
}

struct Count {
  const char* model;
  uint32_t processes;
  const char* closed;  ///< code, or empty for legal
  const char* open;
};

class ProcessCounts : public ::testing::TestWithParam<Count> {};

void expect_code(const std::vector<std::string>& errors, const char* code, const char* mode) {
  if (*code == '\0') {
    EXPECT_THAT(errors, IsEmpty()) << mode;
  } else {
    EXPECT_THAT(errors, ElementsAre(HasSubstr(code))) << mode;
  }
}

TEST_P(ProcessCounts, InEachDivision) {
  const Count& row = GetParam();
  expect_code(errors_of(legal(cli::Mode::kClosed, row.processes), row.model), row.closed, "closed");
  expect_code(errors_of(legal(cli::Mode::kOpen, row.processes), row.model), row.open, "open");
  EXPECT_THAT(errors_of(legal(cli::Mode::kWhatif, row.processes), row.model), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Rules, ProcessCounts,
                         ::testing::Values(Count{"llama3-8b", 8, "", ""}, Count{"llama3-8b", 1, "E302", ""},
                                           Count{"llama3-8b", 16, "E302", ""}, Count{"llama3-70b", 64, "", ""},
                                           Count{"llama3-70b", 8, "", ""}, Count{"llama3-70b", 12, "E301", "E301"},
                                           Count{"llama3-70b", 72, "E302", ""}, Count{"llama3-405b", 512, "", ""},
                                           Count{"llama3-405b", 8, "", "E301"}, Count{"llama3-405b", 256, "E302", ""},
                                           Count{"llama3-405b", 511, "E301", "E301"}, Count{"llama3-1t", 1024, "", ""},
                                           Count{"llama3-1t", 8, "", "E301"}, Count{"llama3-1t", 512, "E302", ""}));

TEST(Processes, MessagesNameTheLegalCounts) {
  EXPECT_THAT(errors_of(legal(cli::Mode::kClosed, 32), "llama3-70b"),
              ElementsAre(HasSubstr("64, or 8 as a subset; open takes this count too")));
  EXPECT_THAT(errors_of(legal(cli::Mode::kClosed, 9), "llama3-8b"), ElementsAre(HasSubstr("closed takes 8")));
  EXPECT_THAT(errors_of(legal(cli::Mode::kOpen, 300), "llama3-405b"), ElementsAre(HasSubstr("256 and 512")));
  EXPECT_THAT(errors_of(legal(cli::Mode::kOpen, 3), "llama3-1t"), ElementsAre(HasSubstr("count is 512")));
}

TEST(Processes, OpenIsNotAdvisedWhereItHasNoPlan) {
  Arguments arguments = legal(cli::Mode::kClosed, 32);
  arguments.checkpoint_bytes = 0;
  EXPECT_THAT(errors_of(arguments, "llama3-70b"), ElementsAre(AllOf(HasSubstr("E301"), Not(HasSubstr("open")))));
}

TEST(Processes, AllowInvalidParamsHoldsInOpenOnly) {
  Arguments arguments = legal(cli::Mode::kOpen, 12);
  arguments.allow_invalid_params = true;
  const ArgumentFindings findings = check_arguments(arguments, workload_of("llama3-70b"));
  EXPECT_THAT(findings.errors, IsEmpty());
  EXPECT_THAT(findings.warnings, ElementsAre(HasSubstr("the run is INVALID")));
  arguments.mode = cli::Mode::kClosed;
  EXPECT_THAT(errors_of(arguments, "llama3-70b"), SizeIs(1));
}

TEST(Counts, ClosedTakesTenOrNone) {
  struct Row {
    uint32_t write, read;
    size_t errors;
  };
  for (const Row& row :
       {Row{10, 10, 0}, Row{10, 0, 0}, Row{0, 10, 0}, Row{0, 0, 1}, Row{5, 10, 1}, Row{10, 11, 1}, Row{1, 1, 2}}) {
    Arguments arguments = legal(cli::Mode::kClosed, 8);
    arguments.checkpoints_to_write = row.write;
    arguments.checkpoints_to_read = row.read;
    EXPECT_THAT(errors_of(arguments, "llama3-8b"), SizeIs(row.errors)) << row.write << "/" << row.read;
  }
}

TEST(Counts, ElsewhereAnythingFromZero) {
  for (const cli::Mode mode : {cli::Mode::kOpen, cli::Mode::kWhatif}) {
    Arguments arguments = legal(mode, 8);
    arguments.checkpoints_to_write = 3;
    arguments.checkpoints_to_read = 0;
    EXPECT_THAT(errors_of(arguments, "llama3-8b"), IsEmpty());
  }
}

TEST(Subset, TheClaimIsTheSmallModelOnEight) {
  Arguments arguments = legal(cli::Mode::kClosed, 8);
  arguments.checkpoint_subset = true;
  EXPECT_THAT(errors_of(arguments, "llama3-8b"), IsEmpty());
  EXPECT_THAT(errors_of(arguments, "llama3-70b"), ElementsAre(HasSubstr("--checkpoint-subset")));
  arguments.mode = cli::Mode::kWhatif;
  EXPECT_THAT(errors_of(arguments, "llama3-70b"), IsEmpty());
}

TEST(Warnings, AcceleratorsPerHost) {
  Arguments arguments = legal(cli::Mode::kClosed, 8);
  arguments.hosts = 1;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, IsEmpty());
  arguments.hosts = 2;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, ElementsAre(HasSubstr("rule 4.6.2")));
  arguments.mode = cli::Mode::kWhatif;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, IsEmpty());
}

TEST(Warnings, AcceleratorMemory) {
  EXPECT_EQ(cli::accelerator_memory_gb("b200"), 180U);
  EXPECT_EQ(cli::accelerator_memory_gb("mi355"), 288U);
  EXPECT_EQ(cli::accelerator_memory_gb("h100"), 80U);
  EXPECT_EQ(cli::accelerator_memory_gb("a100"), 80U);
  EXPECT_FALSE(cli::accelerator_memory_gb("b2000"));
  Arguments arguments = legal(cli::Mode::kOpen, 8);
  arguments.checkpoint_bytes = uint64_t{1000} << 30;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, ElementsAre(HasSubstr("rule 4.3.4")));
  arguments.accelerator_type = "b200";  // 8 x 180 = 1440
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, IsEmpty());
}

TEST(Warnings, HostMemoryAndFsync) {
  Arguments arguments = legal(cli::Mode::kClosed, 8);
  arguments.checkpoint_bytes = uint64_t{300} << 30;
  arguments.client_host_memory_gib = 100;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, IsEmpty());
  arguments.client_host_memory_gib = 100.5;
  EXPECT_THAT(check_arguments(arguments, workload_of("llama3-8b")).warnings, ElementsAre(HasSubstr("rule 4.3.1")));
  auto workload = workload_of("llama3-8b");
  workload.fsync = false;
  arguments.client_host_memory_gib = 0;
  const ArgumentFindings findings = check_arguments(arguments, workload);
  EXPECT_THAT(findings.warnings, IsEmpty());
  ASSERT_THAT(findings.errors, SizeIs(1));
  EXPECT_THAT(render(findings.errors[0]), HasSubstr("rule 4.3.2"));
  EXPECT_EQ(findings.errors[0].code, ErrorCode::kValidationInvalid);
}

TEST(Warnings, FsyncThatIsNotObeyedIsSaidInEveryMode) {
  auto workload = workload_of("llama3-8b");
  workload.fsync = false;
  EXPECT_THAT(check_arguments(legal(cli::Mode::kWhatif, 8), workload).warnings, Contains(HasSubstr("has no effect")));
  Arguments open = legal(cli::Mode::kOpen, 8);
  EXPECT_THAT(check_arguments(open, workload).errors, SizeIs(1));
  open.allow_invalid_params = true;
  EXPECT_THAT(check_arguments(open, workload).errors, IsEmpty());
  EXPECT_TRUE(check_arguments(open, workload).is_invalid);
  EXPECT_FALSE(check_arguments(open, workload_of("llama3-8b")).is_invalid);
  EXPECT_THAT(check_arguments(open, workload).warnings, Contains(HasSubstr("the run is INVALID")));
}

TEST(Findings, ComeAllAtOnce) {
  Arguments arguments = legal(cli::Mode::kClosed, 9);
  arguments.checkpoints_to_write = 3;
  arguments.checkpoints_to_read = 4;
  arguments.checkpoint_subset = true;
  EXPECT_THAT(errors_of(arguments, "llama3-8b"), SizeIs(4));
}

}  // namespace
}  // namespace mlps::checkpointing
