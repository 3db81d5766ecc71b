#include "launch/job_attendant.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "launch/child_process.hpp"
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

TEST(VerdictFilter, LetsAllElseThroughWhereverTheBytesAreCut) {
  const std::string text = "one\n" + verdict_line(7) + "two\nno end";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    VerdictFilter filter;
    std::string shown = filter.pass(text.substr(0, cut));
    shown += filter.pass(text.substr(cut));
    shown += filter.rest();
    EXPECT_EQ(shown, "one\ntwo\nno end") << cut;
    EXPECT_EQ(filter.verdict(), 7) << cut;
  }
}

TEST(VerdictFilter, ShowsAPartialLineButNoPartOfAVerdict) {
  VerdictFilter filter;
  EXPECT_EQ(filter.pass("waiting"), "");
  EXPECT_EQ(filter.rest(), "waiting");
  EXPECT_EQ(filter.pass("\x1emlpstorage-job"), "");
  EXPECT_EQ(filter.rest(), "");
  EXPECT_EQ(filter.pass("-ended 2\n"), "");
  EXPECT_EQ(filter.verdict(), 2);
}

// A child in place of a launcher; signals as run_launched() has them.
class Attend : public ::testing::Test {
 protected:
  Attend() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, &before_);
  }
  ~Attend() override { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  JobEnd run(const std::string& script, Nanos start_limit_ns = kStartLimitNs) {
    Pipe control, errors;
    const auto child = start_child({"sh", "-c", script}, {control.read_end(), -1, errors.write_end()});
    EXPECT_TRUE(child);
    errors.close_write();
    return attend(*child, control.write_end(), errors.read_end(), start_limit_ns);
  }
  sigset_t before_;
};

TEST_F(Attend, TakesTheVerdictAndTheStatus) {
  const JobEnd end = run("printf '\\036mlpstorage-job-ended 3\\n' >&2; exit 5");
  EXPECT_EQ(end.verdict, 3);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 5);
  EXPECT_FALSE(end.had_to_be_ended);
}

TEST_F(Attend, ALauncherMayEndWithoutAVerdict) {
  const JobEnd end = run("exit 4");
  EXPECT_FALSE(end.verdict);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 4);
}

TEST_F(Attend, ALauncherThatBringsNobodyTogetherIsEnded) {
  const JobEnd hangs = run("exec sleep 100", 1);
  EXPECT_TRUE(hangs.never_began);
  EXPECT_FALSE(hangs.verdict);
  EXPECT_EQ(WTERMSIG(hangs.wait_status), SIGTERM);
  // Once all have met, a job may take as long as it likes.
  const JobEnd begun = run("printf '\\036mlpstorage-job-begun\\n' >&2; sleep 1; exit 3", 900'000'000);
  EXPECT_FALSE(begun.never_began);
  EXPECT_EQ(WEXITSTATUS(begun.wait_status), 3);
}

TEST_F(Attend, AnInterruptIsAMessageToTheJob) {
  const std::string script =
      "kill -INT $PPID; read word name; printf '\\036mlpstorage-job-ended 8\\n' >&2; "
      "test \"$word $name\" = 'interrupt SIGINT'";
  const JobEnd end = run(script);
  EXPECT_EQ(end.verdict, 8);
  EXPECT_EQ(WEXITSTATUS(end.wait_status), 0);
}

}  // namespace
}  // namespace mlps::cli
