#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace mlps {
namespace {

TEST(Error, RendersCodeMessageAndIndentedLines) {
  EXPECT_EQ(render({ErrorCode::kPathNotFound, "no such folder"}), "[E401] no such folder");
  EXPECT_EQ(render({ErrorCode::kDiskFull, "m", "d", "s"}), "[E403] m\n  Details: d\n  Suggestion: s");
}

TEST(Error, ErrnoKeepsTheSystemsWordsAndPicksTheCode) {
  const Error full = errno_error(ENOSPC, "write /x");
  EXPECT_EQ(full.code, ErrorCode::kDiskFull);
  EXPECT_EQ(full.message, "write /x: No space left on device");
  EXPECT_EQ(errno_error(EACCES, "open /x").code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(errno_error(ENOENT, "open /x").code, ErrorCode::kPathNotFound);
  EXPECT_EQ(errno_error(EIO, "read /x").code, ErrorCode::kStorageIo);
}

TEST(Error, ExitCodesByClass) {
  EXPECT_EQ(exit_code(ErrorCode::kValidationInvalid), 1);
  EXPECT_EQ(exit_code(ErrorCode::kConfigInvalid), 2);
  EXPECT_EQ(exit_code(ErrorCode::kDiskFull), 3);
  EXPECT_EQ(exit_code(ErrorCode::kStorageNotFound), 3);
  EXPECT_EQ(exit_code(ErrorCode::kStorageDenied), 4);
  EXPECT_EQ(exit_code(ErrorCode::kConfigParse), 5);
  EXPECT_EQ(exit_code(ErrorCode::kDataMismatch), 6);
  EXPECT_EQ(exit_code(ErrorCode::kTimeout), 7);
  EXPECT_EQ(exit_code(ErrorCode::kInterrupted), 8);
}

}  // namespace
}  // namespace mlps
