#include "world/launch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace mlps::world {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

LaunchRequest two_hosts() {
  LaunchRequest request;
  request.hosts = {{"a", 4}, {"b", {}}};
  request.command = {"/opt/mlpstorage", "closed", "--hosts", "a:4,b"};
  return request;
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "|") + word;
  return text;
}

TEST(Launch, OpenMpiStartsOneProcessPerHost) {
  EXPECT_EQ(joined(*launch_command(LauncherKind::kOpenMpi, two_hosts())),
            "mpirun|-n|2|--host|a:1,b:1|--map-by|ppr:1:node|--bind-to|none|"
            "--mca|orte_abort_on_non_zero_status|0|/opt/mlpstorage|closed|--hosts|a:4,b");
}

TEST(Launch, OpenMpiTakesEveryFlag) {
  LaunchRequest request = two_hosts();
  request.program = "/opt/ompi/bin/mpirun";
  request.mpi_params = {"--mca plm_rsh_agent 'ssh -p 22'", "-x \"A B\""};
  request.oversubscribe = true;
  request.allow_run_as_root = true;
  request.mpi_btl = "tcp";
  EXPECT_EQ(joined(*launch_command(LauncherKind::kOpenMpi, request)),
            "/opt/ompi/bin/mpirun|--allow-run-as-root|--oversubscribe|-n|2|--host|a:1,b:1|--map-by|ppr:1:node|"
            "--bind-to|none|--mca|orte_abort_on_non_zero_status|0|--mca|pml|ob1|--mca|btl|tcp,self|"
            "--mca|plm_rsh_agent|ssh -p 22|-x|A B|"
            "/opt/mlpstorage|closed|--hosts|a:4,b");
}

TEST(Launch, ALongListOfHostsIsAFile) {
  LaunchRequest request = two_hosts();
  request.host_file = "/proc/self/fd/7";
  EXPECT_THAT(joined(*launch_command(LauncherKind::kOpenMpi, request)), HasSubstr("|-n|2|--hostfile|/proc/self/fd/7|"));
  EXPECT_THAT(joined(*launch_command(LauncherKind::kHydra, request)), HasSubstr("|-n|2|-f|/proc/self/fd/7|"));
  EXPECT_EQ(host_file_text(LauncherKind::kOpenMpi, request.hosts), "a slots=1\nb slots=1\n");
  EXPECT_EQ(host_file_text(LauncherKind::kHydra, request.hosts), "a:1\nb:1\n");
}

TEST(Launch, HydraForwardsNoEnvironment) {
  LaunchRequest request = two_hosts();
  request.oversubscribe = true;
  request.allow_run_as_root = true;
  request.mpi_params = {"-iface eth1"};
  EXPECT_EQ(joined(*launch_command(LauncherKind::kHydra, request)),
            "mpirun|-n|2|-hosts|a,b|-ppn|1|-bind-to|none|-genvnone|-disable-auto-cleanup|-iface|eth1|"
            "/opt/mlpstorage|closed|--hosts|a:4,b");
}

TEST(Launch, ATransportThatCantBeHadIsRefused) {
  LaunchRequest request = two_hosts();
  request.mpi_btl = "vader";
  EXPECT_THAT(launch_command(LauncherKind::kOpenMpi, request).error().message, HasSubstr("--mpi-btl vader"));
  request.hosts.pop_back();
  EXPECT_THAT(*launch_command(LauncherKind::kOpenMpi, request), ::testing::Contains("vader,self"));
  request.mpi_btl = "tcp";
  EXPECT_THAT(launch_command(LauncherKind::kHydra, request).error().message, HasSubstr("only Open MPI"));
  request.mpi_btl = "carrier-pigeon";
  EXPECT_THAT(launch_command(LauncherKind::kOpenMpi, request).error().message, HasSubstr("auto, vader, tcp"));
}

TEST(Launch, AnOpenQuoteIsNamed) {
  LaunchRequest request = two_hosts();
  request.mpi_params = {"--mca 'x"};
  const auto words = launch_command(LauncherKind::kOpenMpi, request);
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().code, ErrorCode::kConfigInvalid);
  EXPECT_THAT(words.error().message, HasSubstr("--mca 'x"));
}

TEST(Launch, WordsAreSplitAsAShellWould) {
  EXPECT_THAT(*shell_split("  a  'b c'  d\\ e \"f \\\" g\" '' h'i'j "),
              ElementsAre("a", "b c", "d e", "f \" g", "", "hij"));
  EXPECT_THAT(*shell_split("\"a\\n\" '\\' $HOME *"), ElementsAre("a\\n", "\\", "$HOME", "*"));
  EXPECT_THAT(*shell_split(""), ElementsAre());
  EXPECT_THAT(*shell_split("a\\"), ElementsAre("a\\"));
  EXPECT_FALSE(shell_split("\"a"));
}

TEST(Launch, TheKindIsReadFromTheVersion) {
  EXPECT_EQ(*launcher_kind("mpirun.openmpi (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/\n"),
            LauncherKind::kOpenMpi);
  EXPECT_EQ(*launcher_kind("mpirun (Open MPI) 5.0.2\n"), LauncherKind::kOpenMpi);
  EXPECT_EQ(*launcher_kind("HYDRA build details:\n    Version:  4.0.2\n"), LauncherKind::kHydra);
  EXPECT_EQ(*launcher_kind("Intel(R) MPI Library for Linux* OS, Version 2021.9\n"), LauncherKind::kHydra);
  const auto unknown = launcher_kind("slurm-wlm 22.05.8\nmore\n");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kMpiNotAvailable);
  EXPECT_THAT(unknown.error().message, HasSubstr("'slurm-wlm 22.05.8'"));
}

TEST(Launch, TheEnvironmentReplacesTheTwoNames) {
  const Environment environment({{"MPI_RUN_BIN", "/x/mpirun"}, {"MPI_EXEC_BIN", "/x/mpiexec"}});
  EXPECT_EQ(launcher_program("mpirun", environment), "/x/mpirun");
  EXPECT_EQ(launcher_program("mpiexec", environment), "/x/mpiexec");
  EXPECT_EQ(launcher_program("/opt/mpirun", environment), "/opt/mpirun");
  EXPECT_EQ(launcher_program("mpirun", Environment()), "mpirun");
}

}  // namespace
}  // namespace mlps::world
