#include "world/launched_by.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Launched found(std::map<std::string, std::string> variables) {
  const auto launched = launched_by(Environment(std::move(variables)));
  EXPECT_TRUE(launched) << launched.error().message;
  EXPECT_TRUE(launched && launched->has_value());
  return launched && *launched ? **launched : Launched{};
}

bool alone(std::map<std::string, std::string> variables) {
  const auto launched = launched_by(Environment(std::move(variables)));
  return launched && !launched->has_value();
}

Error refused(std::map<std::string, std::string> variables) {
  const auto launched = launched_by(Environment(std::move(variables)));
  return launched ? Error{} : launched.error();
}

TEST(LaunchedBy, AShellIsNoLauncher) {
  EXPECT_TRUE(alone({{"PATH", "/bin"}, {"HOME", "/root"}}));
}

TEST(LaunchedBy, OpenMpi) {
  const Launched job = found({{"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_RANK", "2"}, {"PMIX_RANK", "2"}});
  EXPECT_EQ(job.size, 3U);
  EXPECT_EQ(job.index, 2U);
  EXPECT_THAT(job.flavours, ElementsAre("openmpi"));
  EXPECT_TRUE(alone({{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}}));
}

TEST(LaunchedBy, MpichAndItsKin) {
  EXPECT_THAT(found({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}, {"PMI_FD", "5"}}).flavours, ElementsAre("mpich"));
  EXPECT_THAT(found({{"MV2_COMM_WORLD_SIZE", "2"}, {"MV2_COMM_WORLD_RANK", "0"}}).flavours, ElementsAre("mpich"));
  EXPECT_TRUE(alone({{"PMI_SIZE", "1"}, {"PMI_RANK", "0"}}));
}

TEST(LaunchedBy, SrunByItsPlugin) {
  const std::map<std::string, std::string> step = {
      {"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_NTASKS", "8"}};
  auto with_pmix = step;
  with_pmix["PMIX_RANK"] = "1";
  EXPECT_THAT(found(with_pmix).flavours, ElementsAre("openmpi", "mpich"));
  EXPECT_EQ(found(with_pmix).size, 2U);
  auto with_pmi2 = step;
  with_pmi2["PMI_RANK"] = "1";
  with_pmi2["PMI_SIZE"] = "2";
  EXPECT_THAT(found(with_pmi2).flavours, ElementsAre("mpich"));
  EXPECT_THAT(refused(step).message, HasSubstr("srun started 2 processes, but gives them no way to find each other"));
}

TEST(LaunchedBy, ABatchScriptIsNoStepAndALauncherInsideOneIsNearer) {
  EXPECT_TRUE(alone({{"SLURM_JOB_ID", "7"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}));
  EXPECT_TRUE(alone({{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}));
  const Launched hydra = found({{"SLURM_STEP_ID", "0"},
                                {"SLURM_PROCID", "0"},
                                {"SLURM_STEP_NUM_TASKS", "2"},
                                {"HYDI_CONTROL_FD", "6"},
                                {"PMI_SIZE", "4"},
                                {"PMI_RANK", "3"}});
  EXPECT_EQ(hydra.size, 4U);
}

TEST(LaunchedBy, APmixLauncherThatDoesNotTellItsSize) {
  const Launched job = found({{"PMIX_RANK", "4"}, {"PMIX_NAMESPACE", "x"}});
  EXPECT_FALSE(job.size);
  EXPECT_EQ(job.index, 4U);
}

TEST(LaunchedBy, AProcessOfAJobThatCantBeJoinedNeverRunsAlone) {
  const std::vector<std::map<std::string, std::string>> jobs = {
      {{"PALS_RANKID", "1"}, {"PALS_LOCAL_RANKID", "1"}},
      {{"FLUX_TASK_RANK", "1"}, {"FLUX_JOB_SIZE", "4"}},
      {{"FLUX_TASK_RANK", "0"}, {"FLUX_JOB_SIZE", "4"}},
      {{"RANK", "1"}, {"WORLD_SIZE", "4"}},
      {{"RANK", "0"}, {"WORLD_SIZE", "2"}},
      {{"HOROVOD_RANK", "3"}},
      {{"JSM_NAMESPACE_RANK", "0"}, {"JSM_NAMESPACE_SIZE", "2"}},
      {{"ALPS_APP_PE", "7"}},
      {{"PMI_RANK", "1"}},
      {{"OMPI_COMM_WORLD_RANK", "1"}},
      {{"SLURM_JOB_ID", "7"}, {"SLURM_PROCID", "2"}},
      // The nearest launcher started one process only, but one of several of another's.
      {{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}, {"RANK", "1"}, {"WORLD_SIZE", "2"}},
  };
  for (const auto& job : jobs) {
    const Error error = refused(job);
    EXPECT_EQ(error.code, ErrorCode::kMpiNotAvailable) << job.begin()->first;
    EXPECT_THAT(error.message, HasSubstr("started this process as one of several")) << job.begin()->first;
    EXPECT_THAT(error.suggestion, HasSubstr("env -u ")) << job.begin()->first;
  }
  EXPECT_THAT(refused(jobs[2]).message, HasSubstr("FLUX_JOB_SIZE=4: Flux"));
}

TEST(LaunchedBy, AJobOfOneProcessIsNone) {
  EXPECT_TRUE(alone({{"FLUX_TASK_RANK", "0"}, {"FLUX_JOB_SIZE", "1"}}));
  EXPECT_TRUE(alone({{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"LOCAL_RANK", "0"}}));
  EXPECT_TRUE(alone({{"PALS_RANKID", "0"}}));
}

TEST(LaunchedBy, AJobThatCanBeJoinedIsWhateverElseIsSet) {
  EXPECT_EQ(found({{"OMPI_COMM_WORLD_SIZE", "3"}, {"OMPI_COMM_WORLD_RANK", "2"}, {"PALS_RANKID", "2"}}).index, 2U);
  EXPECT_EQ(found({{"PMI_SIZE", "4"}, {"PMI_RANK", "3"}, {"FLUX_JOB_SIZE", "4"}, {"FLUX_TASK_RANK", "3"}}).size, 4U);
}

TEST(LaunchedBy, NonsenseIsAnErrorNotASingleRun) {
  EXPECT_THAT(refused({{"OMPI_COMM_WORLD_SIZE", "two"}}).message, HasSubstr("OMPI_COMM_WORLD_SIZE=two"));
  EXPECT_EQ(refused({{"PMI_SIZE", "-2"}}).code, ErrorCode::kMpiNotAvailable);
  EXPECT_THAT(refused({{"PMI_SIZE", "2"}, {"PMI_RANK", "2"}}).message, HasSubstr("PMI_RANK=2 contradicts PMI_SIZE=2"));
}

}  // namespace
}  // namespace mlps::world
