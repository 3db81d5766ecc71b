// A kernel, or a filter of the container, that refuses to be entered through an io_uring.
#include "storage/posix/ring.hpp"

#include <sys/syscall.h>

#include <cerrno>

#include "base/units.hpp"
#include "storage/posix/file_store.hpp"
#include "support.hpp"

namespace mlps::storage {
namespace {

using namespace test;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

bool refuse_entries(int error) {
  return refuse_calls(__NR_io_uring_enter, error);
}

class RefusedRing : public ::testing::Test {
 protected:
  void SetUp() override {
    if (posix::io_uring_refusal() != 0) GTEST_SKIP() << "no io_uring here";
  }
  Result<std::unique_ptr<Store>> open() const {
    return open_direct_store(Location(Scheme::kDirect, "", folder_.path()));
  }

  TempFolder folder_;
};

TEST_F(RefusedRing, AtTheStartIsFallenBackFromAndSaid) {
  in_a_thread([this] {
    ASSERT_TRUE(refuse_entries(EPERM));
    const auto store = open();
    ASSERT_TRUE(store) << render(store.error());
    EXPECT_TRUE((*store)->traits().blocking);
    EXPECT_THAT((*store)->describe(), Contains(Pair("engine", HasSubstr("io_uring refused: Operation not permitted"))));
    const ObjectSpec spec{"x", 2 * kMiB, kMiB, {}};
    EXPECT_TRUE(write_object(**store, spec));
    EXPECT_TRUE(read_object(**store, spec));
  });
}

TEST_F(RefusedRing, LaterIsAnErrorOfEachOperationAndNoSpin) {
  in_a_thread([this] {
    const auto store = open().value();
    const auto session = store->open_session(2).value();
    const auto object = store->object({"x", 2 * kMiB, kMiB, {}});
    ASSERT_TRUE(run(*session, OpKind::kBeginWrite, *object));
    ASSERT_TRUE(write_part(*session, *object, 0));
    ASSERT_TRUE(refuse_entries(EPERM));
    for (int i = 0; i < 3; ++i) {
      const Status written = write_part(*session, *object, 1);
      EXPECT_TRUE(has_code(written, ErrorCode::kPermissionDenied)) << text_of(written);
      EXPECT_THAT(text_of(written), HasSubstr("io_uring"));
    }
    EXPECT_TRUE(run(*session, OpKind::kAbortWrite, *object));
  });
}

// Requests that the kernel took before are waited for, without entering the ring.
TEST_F(RefusedRing, WhatTheKernelHasStillComesBack) {
  in_a_thread([this] {
    posix::Ring ring;
    ASSERT_TRUE(ring.open(4));
    __kernel_timespec soon{.tv_sec = 0, .tv_nsec = 20'000'000};
    ASSERT_TRUE(ring.add(7, [&](io_uring_sqe* entry) { io_uring_prep_timeout(entry, &soon, 0, 0); }));
    ring.submit();
    ASSERT_TRUE(refuse_entries(EPERM));
    ASSERT_TRUE(ring.add(8, [](io_uring_sqe* entry) { io_uring_prep_nop(entry); }));
    ring.submit();
    ASSERT_TRUE(ring.refusal());
    EXPECT_THAT(ring.take_refused(), ::testing::ElementsAre(8));
    EXPECT_FALSE(ring.add(9, [](io_uring_sqe* entry) { io_uring_prep_nop(entry); }));
    std::vector<uint64_t> back;
    while (back.empty()) {
      ring.wait(std::chrono::seconds(10));
      ring.reap([&](uint64_t tag, int) { back.push_back(tag); });
    }
    EXPECT_THAT(back, ::testing::ElementsAre(7));
  });
}

// A kernel short of memory is asked again; the operation is neither lost nor failed at once.
TEST_F(RefusedRing, AShortageIsNoRefusal) {
  in_a_thread([] {
    posix::Ring ring;
    ASSERT_TRUE(ring.open(4));
    ASSERT_TRUE(refuse_entries(EAGAIN));
    ASSERT_TRUE(ring.add(1, [](io_uring_sqe* entry) { io_uring_prep_nop(entry); }));
    ring.submit();
    ring.wait(std::chrono::milliseconds(1));
    EXPECT_FALSE(ring.refusal());
    EXPECT_TRUE(ring.take_refused().empty());
  });
}

}  // namespace
}  // namespace mlps::storage
