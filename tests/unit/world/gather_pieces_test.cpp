#include "world/gather_pieces.hpp"

#include <gtest/gtest.h>

#include <map>

#include "../support/job.hpp"
#include "world/archive.hpp"

namespace mlps::world {
namespace {

TEST(GatherPieces, BringsAllPiecesOfAllProcessesInOrder) {
  test::run_job(3, [](Transport& transport) {
    // Process i has i * 2 pieces.
    const uint32_t me = transport.index();
    uint32_t given = 0;
    const auto next = [&]() -> Result<Bytes> {
      if (given == me * 2) return Bytes();
      return Bytes(1, static_cast<char>('0' + given++)) + std::string(1000, static_cast<char>('a' + me));
    };
    std::map<uint32_t, std::string> taken;
    const Status done = gather_pieces(transport, next, [&](uint32_t process, std::string_view piece) -> Status {
      EXPECT_EQ(piece.size(), 1001U);
      EXPECT_EQ(piece.back(), static_cast<char>('a' + process));
      taken[process] += piece.front();
      return {};
    });
    EXPECT_TRUE(done);
    const std::map<uint32_t, std::string> all = {{1, "01"}, {2, "0123"}};
    EXPECT_EQ(taken, me == 0 ? all : (std::map<uint32_t, std::string>{}));
  });
}

TEST(GatherPieces, APieceThatCannotBeHadFailsTheJob) {
  test::run_job(2, [](Transport& transport) {
    const auto next = [&]() -> Result<Bytes> {
      if (transport.index() == 1) return fail(ErrorCode::kDiskFull, "no room");
      return Bytes("x");
    };
    const Status done = gather_pieces(transport, next, [](uint32_t, std::string_view) { return Status{}; });
    (void)transport.close(60'000'000'000);  // else a process can be gone before the other has heard of the failure
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kDiskFull);
    transport.close(60'000'000'000);  // who leaves without it may not have told the others
  });
}

TEST(Packer, TakesEveryKindOfNumber) {
  const Bytes bytes = Packer()(int64_t{-5}, 0.1).number(7).text("t").take();
  Unpacker in(bytes);
  int64_t integer = 0;
  double real = 0;
  in(integer, real);
  EXPECT_EQ(integer, -5);
  EXPECT_EQ(real, 0.1);
  EXPECT_EQ(in.number(), 7U);
  EXPECT_EQ(in.text(), "t");
  EXPECT_TRUE(in.whole());
  EXPECT_EQ(in.number(), 0U);
  EXPECT_FALSE(in.good());
}

}  // namespace
}  // namespace mlps::world
