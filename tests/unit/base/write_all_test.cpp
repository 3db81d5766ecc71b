#include "base/write_all.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/output.hpp"

namespace mlps {
namespace {

class WriteAll : public testing::Test {
 protected:
  WriteAll() {
    std::string name = testing::TempDir() + "write_all.XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~WriteAll() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  static std::string content(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::string folder_;
};

TEST_F(WriteAll, WritesAFileOrSaysWhatFailed) {
  ASSERT_TRUE(write_file(path("a"), "abc", O_TRUNC));
  EXPECT_EQ(content(path("a")), "abc");
  ASSERT_TRUE(write_file(path("a"), "d", O_TRUNC));
  EXPECT_EQ(content(path("a")), "d");
  const Status there = write_file(path("a"), "e", O_EXCL);
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().message, "create " + path("a") + ": File exists");
}

TEST_F(WriteAll, AFullDiskIsAnError) {
  const Status full = write_file("/dev/full", "abc", 0);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(full.error().message, "write /dev/full: No space left on device");
}

// A file that may not grow past a limit takes the beginning of a write (a short one), and refuses the rest.
TEST_F(WriteAll, AShortWriteIsContinuedAndTheErrorOfTheRestIsReported) {
  constexpr rlim_t kLimit = 1000;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limited{kLimit, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limited), 0);
  const Status cut = write_file(path("a"), std::string(kLimit + 500, 'x'), O_TRUNC);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message, "write " + path("a") + ": File too large");
  EXPECT_EQ(content(path("a")).size(), kLimit);
}

// mlpstorage.log is a link to a device that is always full.
TEST_F(WriteAll, ALogFileThatIsCutOffIsAWarningAndLostOutput) {
  std::filesystem::create_symlink("/dev/full", path("mlpstorage.log"));
  ASSERT_TRUE(log::open_run_files(folder_));
  log::info("the first line");
  log::info("another line");
  const std::vector<std::string> problems = log::problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0],
            "the log of this run is not complete: write " + path("mlpstorage.log") + ": No space left on device");
  EXPECT_NE(content(path("mlpstorage.errors.log")).find(problems[0]), std::string::npos);
  const auto lost = lost_output();
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->code, ErrorCode::kDiskFull);
  EXPECT_EQ(status_with_output(kExitSuccess), 3);
  EXPECT_EQ(status_with_output(8), 8) << "the status of a failure stays";
}

}  // namespace
}  // namespace mlps
