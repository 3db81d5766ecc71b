#include "launch/launcher_supervisor.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "base/child_process.hpp"
#include "launch/job_control.hpp"

namespace mlps::cli {
namespace {

TEST(VerdictLine, IsReadBackAndNothingElseIs) {
  EXPECT_EQ(verdict_in(verdict_line(0)), 0);
  EXPECT_EQ(verdict_in(verdict_line(3)), 3);
  EXPECT_EQ(verdict_in("[1,0]<stderr>:" + verdict_line(6)), 6) << "as mpirun --tag-output has it";
  for (const char* text :
       {"", "\n", "mlpstorage-job-ended 3\n", "\x1e", "\x1emlpstorage-job-ended \n", "\x1emlpstorage-job-ended x\n",
        "\x1emlpstorage-job-ended -1\n", "\x1emlpstorage-job-ended 99999999999\n"}) {
    EXPECT_FALSE(verdict_in(text)) << text;
  }
}

TEST(ControlLineFilter, LetsAllElseThroughUpToTheVerdictWhereverTheBytesAreCut) {
  const std::string text = "one\n" + begun_line() + "two\n" + verdict_line(7) + "MPI_ABORT was invoked\nno end";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    ControlLineFilter filter;
    std::string shown = filter.feed(text.substr(0, cut));
    shown += filter.feed(text.substr(cut));
    shown += filter.unfinished_line();
    EXPECT_EQ(shown, "one\ntwo\n") << cut;
    EXPECT_EQ(filter.aftermath(), "MPI_ABORT was invoked\n") << cut;
    EXPECT_EQ(filter.verdict(), 7) << cut;
  }
}

TEST(ControlLineFilter, ShowsAPartialLineButNoPartOfAVerdict) {
  ControlLineFilter filter;
  EXPECT_EQ(filter.feed("waiting"), "");
  EXPECT_EQ(filter.unfinished_line(), "waiting");
  EXPECT_EQ(filter.feed("\x1emlpstorage-job"), "");
  EXPECT_EQ(filter.unfinished_line(), "");
  EXPECT_EQ(filter.feed("-ended 2\n"), "");
  EXPECT_EQ(filter.verdict(), 2);
}

// A child in place of a launcher; signals as run_launched() has them.
class Supervisor : public ::testing::Test {
 protected:
  Supervisor() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, &before_);
    signal(SIGPIPE, SIG_IGN);
  }
  ~Supervisor() override { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  JobEnd run(const std::string& script, Nanos start_limit_ns = kStartLimitNs, const std::string& settings = {}) {
    Pipe control = Pipe::make().value(), output = Pipe::make().value(), errors = Pipe::make().value();
    const auto child =
        start_child({"sh", "-c", script}, {control.read_end.get(), output.write_end.get(), errors.write_end.get()});
    EXPECT_TRUE(child);
    for (Descriptor* end : {&control.read_end, &output.write_end, &errors.write_end}) end->close();
    const LauncherStreams streams{control.write_end.get(), output.read_end.get(), errors.read_end.get()};
    return supervise_launcher(*child, streams, settings, start_limit_ns);
  }
  sigset_t before_;
};

TEST_F(Supervisor, TakesTheVerdictAndTheStatus) {
  const JobEnd end = run("printf '\\036mlpstorage-job-ended 3\\n' >&2; exit 5");
  EXPECT_EQ(end.verdict, 3);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 5);
  EXPECT_FALSE(end.had_to_be_ended);
}

TEST_F(Supervisor, ForwardsAllThatTheJobPrints) {
  ::testing::internal::CaptureStdout();
  const JobEnd end = run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done; exit 0");
  const std::string shown = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 0);
  EXPECT_TRUE(shown.starts_with("line 0\nline 1\n"));
  EXPECT_TRUE(shown.ends_with("line 19998\nline 19999\n"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 20000);
}

TEST_F(Supervisor, ALauncherMayEndWithoutAVerdict) {
  const JobEnd end = run("exit 4");
  EXPECT_FALSE(end.verdict);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 4);
}

TEST_F(Supervisor, ALauncherThatBringsNobodyTogetherIsEnded) {
  const JobEnd hangs = run("exec sleep 100", 1);
  EXPECT_TRUE(hangs.never_began);
  EXPECT_FALSE(hangs.verdict);
  EXPECT_EQ(WTERMSIG(hangs.wait_status), SIGTERM);
  // Once all have met, a job may take as long as it likes.
  const JobEnd begun = run("printf '\\036mlpstorage-job-begun\\n' >&2; sleep 1; exit 3", 900'000'000);
  EXPECT_FALSE(begun.never_began);
  EXPECT_EQ(WEXITSTATUS(begun.wait_status), 3);
}

TEST_F(Supervisor, AnInterruptIsAMessageToTheJob) {
  const std::string script =
      "kill -INT $PPID; read word name; printf '\\036mlpstorage-job-ended 8\\n' >&2; "
      "test \"$word $name\" = 'interrupt SIGINT'";
  const JobEnd end = run(script);
  EXPECT_EQ(end.verdict, 8);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 0);
}

// Far more than a pipe takes.
const std::string kLongSettings = std::string(1'000'000, 's') + "\n";

TEST_F(Supervisor, ALauncherThatReadsSlowlyGetsAllSettings) {
  const JobEnd end = run("sleep 0.3; test \"$(head -c 1000001 | wc -c)\" = 1000001", kStartLimitNs, kLongSettings);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 0);
}

TEST_F(Supervisor, ALauncherThatNeverReadsTheSettingsIsEndedInTime) {
  for (const char* script : {"exec sleep 100", "exec 2>&-; exec sleep 100", "exec 0<&-; exec sleep 100"}) {
    const JobEnd end = run(script, 1, kLongSettings);
    EXPECT_TRUE(end.never_began) << script;
    EXPECT_EQ(WTERMSIG(end.wait_status), SIGTERM) << script;
  }
}

TEST_F(Supervisor, ALauncherThatEndsWithoutReadingTheSettingsTellsByItsStatus) {
  EXPECT_EQ(WEXITSTATUS(run("exit 4", kStartLimitNs, kLongSettings).wait_status), 4);
  EXPECT_EQ(WEXITSTATUS(run("head -c 10 >/dev/null; exit 5", kStartLimitNs, kLongSettings).wait_status), 5);
}

TEST_F(Supervisor, SignalsEndALauncherThatNeverReadsTheSettings) {
  const JobEnd end = run("kill -INT $PPID; kill -TERM $PPID; exec sleep 100", kStartLimitNs, kLongSettings);
  EXPECT_TRUE(end.was_interrupted);
  EXPECT_EQ(WTERMSIG(end.wait_status), SIGTERM);
}

TEST_F(Supervisor, AnInterruptWaitsBehindTheSettings) {
  const std::string script =
      "kill -INT $PPID; sleep 0.3; head -c 1000001 >/dev/null; read word name; test \"$word $name\" = 'interrupt "
      "SIGINT'";
  EXPECT_EQ(WEXITSTATUS(run(script, kStartLimitNs, kLongSettings).wait_status), 0);
}

}  // namespace
}  // namespace mlps::cli
