#include "world/transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <latch>
#include <stdexcept>
#include <thread>

#include "../support/fake_net.hpp"
#include "world/mpi_thread.hpp"
#include "world/packet.hpp"

namespace mlps::world {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Nanos kMs = 1'000'000;
// Long enough for a busy machine to be silent without being given up, short enough for a test that waits for it.
constexpr LinkLimits kQuick{
    .heartbeat_ns = 20 * kMs, .lost_after_ns = 1000 * kMs, .start_ns = 20'000 * kMs, .call_ns = 20'000 * kMs};

using Work = std::function<void(Transport&)>;

std::string first_of(Transport& transport) {
  const auto first = transport.failure().first();
  return first ? message_with_host(*first) : "";
}

// Every process of a job: a thread each, over the net.
void run_job(FakeNet& net, uint32_t size, const Work& work, const LinkLimits& limits = kQuick) {
  std::vector<std::thread> processes;
  for (uint32_t i = 0; i < size; ++i) {
    processes.emplace_back([&, i] {
      const Introduction me{"mlpstorage 1", std::string(1, static_cast<char>('a' + i)), 100 + i};
      auto transport = start_mpi_thread([&net, i] { return Result<std::unique_ptr<Wire>>(net.wire(i)); }, me, limits);
      ASSERT_EQ(transport->size(), size) << first_of(*transport);
      work(*transport);
    });
  }
  for (auto& process : processes) process.join();
}

// What had been sent before the harm was done may still let one barrier pass.
Status barrier_until_failure(Transport& transport) {
  Status done;
  while (done) done = transport.barrier();
  return done;
}

TEST(LocalTransport, IsAloneAndAtOnce) {
  LocalTransport alone;
  EXPECT_EQ(alone.size(), 1U);
  EXPECT_EQ(alone.members().at(0).pid, ::getpid());
  EXPECT_TRUE(alone.barrier());
  Bytes bytes = "x";
  EXPECT_TRUE(alone.broadcast(bytes));
  EXPECT_EQ(bytes, "x");
  EXPECT_THAT(*alone.gather("mine"), ElementsAre("mine"));
  double value = 3;
  EXPECT_TRUE(alone.reduce(Reduction::kSum, {&value, 1}));
  EXPECT_EQ(value, 3);
  alone.failure().raise({ErrorCode::kDiskFull, "full"});
  EXPECT_EQ(alone.barrier().error().message, "full");
  EXPECT_EQ(alone.gather("mine").error().code, ErrorCode::kDiskFull);
}

class Collectives : public ::testing::TestWithParam<uint32_t> {};

TEST_P(Collectives, AllGiveWhatTheyPromise) {
  const uint32_t size = GetParam();
  FakeNet net(size);
  const Bytes big = std::string(9'000'000, 'b') + "end";  // three pieces
  std::atomic<int> arrived{0};
  LinkLimits patient = kQuick;
  patient.lost_after_ns = patient.start_ns;
  const Work work = [&](Transport& transport) {
    const uint32_t me = transport.index();
    EXPECT_EQ(transport.size(), size);
    EXPECT_EQ(transport.members().at(size - 1).host, std::string(1, static_cast<char>('a' + size - 1)));
    ++arrived;
    EXPECT_TRUE(transport.barrier());
    EXPECT_EQ(arrived, static_cast<int>(size));
    Bytes bytes = me == 0 ? big : "other";
    EXPECT_TRUE(transport.broadcast(bytes));
    EXPECT_EQ(bytes, big);
    const auto all = transport.gather(Bytes(me * 1000, static_cast<char>('a' + me)));
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), me == 0 ? size : 0);
    for (uint32_t i = 0; i < all->size(); ++i) EXPECT_EQ((*all)[i], Bytes(i * 1000, static_cast<char>('a' + i)));
    std::vector<double> values = {1, static_cast<double>(me), -static_cast<double>(me)};
    EXPECT_TRUE(transport.reduce(Reduction::kSum, values));
    const double sum = size * (size - 1) / 2.0;
    EXPECT_THAT(values, ElementsAre(size, sum, -sum));
    values = {static_cast<double>(me), -static_cast<double>(me) - 1};
    EXPECT_TRUE(transport.reduce(Reduction::kMax, values));
    EXPECT_THAT(values, ElementsAre(size - 1, -1));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(transport.barrier());
    EXPECT_TRUE(transport.close(5000 * kMs));
  };
  run_job(net, size, work, patient);
  EXPECT_EQ(net.finished(), static_cast<int>(size));
}
INSTANTIATE_TEST_SUITE_P(Sizes, Collectives, ::testing::Values(2, 3, 5, 8));

TEST(MpiThread, ClocksOfOneMachineAgreeWithinTheError) {
  FakeNet net(2);
  run_job(net, 2, [](Transport& transport) {
    const ClockOffset& own = transport.members()[0].clock;
    EXPECT_EQ(own.error_ns, 0);
    const ClockOffset& other = transport.members()[1].clock;
    EXPECT_GT(other.error_ns, 0);
    EXPECT_LE(std::abs(other.monotonic_ns), other.error_ns);
    EXPECT_TRUE(transport.close(5000 * kMs));
  });
}

TEST(MpiThread, AFailureReachesAllWithHostAndRank) {
  FakeNet net(4);
  run_job(net, 4, [&](Transport& transport) {
    (void)transport.barrier();  // all have started
    if (transport.index() == 2) {
      transport.failure().raise({ErrorCode::kDiskFull, "write /x: no space", "d", "free space"}, 17);
    } else {
      const Status done = transport.barrier();  // which process 2 never comes to
      ASSERT_FALSE(done);
      EXPECT_EQ(message_with_host(done.error()), "host c (process 2), rank 17: write /x: no space");
      EXPECT_EQ(done.error().code, ErrorCode::kDiskFull);
      EXPECT_EQ(done.error().suggestion, "free space");
    }
    EXPECT_FALSE(transport.close(5000 * kMs));
    EXPECT_THAT(first_of(transport), HasSubstr("write /x: no space"));
  });
  EXPECT_EQ(net.finished(), 0);  // nobody enters MPI_Finalize, which could hang
}

TEST(MpiThread, AProcessThatFallsSilentIsNamed) {
  FakeNet net(4);
  run_job(net, 4, [&](Transport& transport) {
    EXPECT_TRUE(transport.barrier());
    if (transport.index() == 1) net.silence(1);
    const Status done = barrier_until_failure(transport);
    // To the silenced process all others are gone; it names one of those it watches.
    if (transport.index() != 1) {
      EXPECT_EQ(done.error().message, "host b (process 1) is gone: no sign of life for 1 s");
      EXPECT_EQ(done.error().code, ErrorCode::kHostUnreachable);
      const std::vector<uint32_t> first_left = {1};
      EXPECT_EQ(processes_to_clean_up_for(transport), transport.index() == 0 ? first_left : std::vector<uint32_t>());
    }
    EXPECT_FALSE(transport.close(transport.index() == 1 ? 0 : 10'000 * kMs));
  });
}

TEST(MpiThread, ACutLinkIsNoticedOnBothSides) {
  FakeNet net(2);
  run_job(net, 2, [&](Transport& transport) {
    EXPECT_TRUE(transport.barrier());
    net.cut(0, 1);
    const Status done = barrier_until_failure(transport);
    EXPECT_EQ(done.error().message, transport.index() == 0 ? "host b (process 1) is gone: no sign of life for 1 s"
                                                           : "host a (process 0) is gone: no sign of life for 1 s");
    EXPECT_FALSE(transport.close(10'000 * kMs));
  });
}

TEST(MpiThread, ABrokenWireEndsTheCall) {
  FakeNet net(2);
  run_job(net, 2, [&](Transport& transport) {
    EXPECT_TRUE(transport.barrier());
    if (transport.index() == 1) net.break_wire(1);
    const Status done = barrier_until_failure(transport);
    EXPECT_THAT(done.error().message,
                AnyOf(HasSubstr("the cable is unplugged"), HasSubstr("host b (process 1) is gone")));
    EXPECT_FALSE(transport.close(2000 * kMs));
  });
}

TEST(MpiThread, AProcessThatCannotBeSentToIsLostAndTheOthersHearOfIt) {
  FakeNet net(3);
  std::latch met(3);
  run_job(net, 3, [&](Transport& transport) {
    EXPECT_TRUE(transport.barrier());
    met.arrive_and_wait();  // nobody is still in that barrier
    if (transport.index() == 1) net.refuse(2);
    if (transport.index() == 2) {
      EXPECT_FALSE(barrier_until_failure(transport));
      return;
    }
    const Status done = barrier_until_failure(transport);
    EXPECT_EQ(done.error().message, "host c (process 2) is gone: endpoint timeout");
    EXPECT_EQ(done.error().code, ErrorCode::kHostUnreachable);
    EXPECT_TRUE(transport.lost(2));
    EXPECT_FALSE(transport.close(2000 * kMs));
  });
}

TEST(MpiThread, CallsOfDifferentKindsAreAnErrorNotADeadlock) {
  FakeNet net(2);
  run_job(net, 2, [&](Transport& transport) {
    Bytes bytes;
    const Status done = transport.index() == 0 ? transport.barrier() : transport.broadcast(bytes);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, AllOf(HasSubstr("barrier"), HasSubstr("broadcast")));
    EXPECT_FALSE(transport.close(5000 * kMs));
  });
}

TEST(MpiThread, ACallThatSomebodyNeverComesToEnds) {
  FakeNet net(2);
  LinkLimits limits = kQuick;
  limits.call_ns = 100 * kMs;
  std::latch given_up(1);
  const Work work = [&](Transport& transport) {
    if (transport.index() == 0) {
      const Status done = transport.barrier();
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code, ErrorCode::kTimeout);
      EXPECT_THAT(done.error().message, HasSubstr("host b (process 1) did not come to barrier"));
      given_up.count_down();
    } else {
      given_up.wait();
    }
    EXPECT_FALSE(transport.close(5000 * kMs));
  };
  run_job(net, 2, work, limits);
}

TEST(MpiThread, BytesOfAStrangerAreRefused) {
  FakeNet net(2);
  run_job(net, 2, [&](Transport& transport) {
    (void)transport.barrier();  // both have started
    if (transport.index() == 0) net.inject(0, {1, "GET / HTTP/1.1"});
    while (transport.barrier()) {
    }
    EXPECT_FALSE(transport.close(5000 * kMs));
    EXPECT_THAT(first_of(transport), HasSubstr("host b (process 1): a message from another process is too short"));
  });
}

// Each is a packet by its head, and none may take memory for what it promises, or be taken for a message.
TEST(MpiThread, ADamagedPacketIsAnErrorThatNamesItsSender) {
  constexpr uint8_t kBarrier = 2;
  const auto data = [](uint8_t operation, uint64_t total, uint64_t offset, std::string_view body) {
    return encode(Packet{.kind = PacketKind::kData,
                         .operation = operation,
                         .round = 0,
                         .sequence = 1'000'000,
                         .total = total,
                         .offset = offset,
                         .body = body});
  };
  const std::vector<std::vector<Bytes>> floods = {
      {data(0, 4, 0, "abcd")},
      {data(200, 4, 0, "abcd")},
      {data(kBarrier, 8, 0, "abcd"), data(kBarrier, 9, 4, "abcd")},
      {data(kBarrier, 8, 0, "abcd"), data(kBarrier + 1, 8, 4, "abcd")},
      {data(kBarrier, 8, 0, "abcd"), data(kBarrier, 8, 0, "abcd")},
      {data(kBarrier, 6, 0, "abcd"), data(kBarrier, 6, 2, "abcd")},
      {encode(Packet{.kind = PacketKind::kPong, .sequence = 1, .body = "short"})},
      {encode(Packet{.kind = PacketKind::kFailure, .body = "short"})},
  };
  for (size_t i = 0; i < floods.size(); ++i) {
    SCOPED_TRACE(i);
    FakeNet net(2);
    run_job(net, 2, [&](Transport& transport) {
      (void)transport.barrier();  // both have started
      if (transport.index() == 0) {
        // Promises more than any memory holds, and is never needed: it must cost nothing.
        net.inject(0, {1, data(kBarrier, UINT64_MAX, UINT64_MAX - 4, "abcd")});
        for (const Bytes& bytes : floods[i]) net.inject(0, {1, bytes});
      }
      while (transport.barrier()) {
      }
      EXPECT_FALSE(transport.close(5000 * kMs));
      EXPECT_THAT(first_of(transport), HasSubstr("host b (process 1): "));
      EXPECT_EQ(transport.failure().first()->code, ErrorCode::kMpiCommunication);
    });
  }
}

TEST(MpiThread, AnExceptionOnItIsAFailureAndNotTheEndOfTheProcess) {
  const auto transport =
      start_mpi_thread([]() -> Result<std::unique_ptr<Wire>> { throw std::length_error("basic_string::resize"); },
                       {"v", "a", 1}, kQuick);
  EXPECT_THAT(first_of(*transport), HasSubstr("basic_string::resize"));
  EXPECT_FALSE(transport->barrier());
  EXPECT_FALSE(transport->close(1000 * kMs));
}

// Starts every process with its own words and returns the first error message each got.
std::vector<std::string> start_errors(FakeNet& net, const std::vector<Introduction>& all, const LinkLimits& limits) {
  std::vector<std::string> errors(all.size());
  std::vector<std::thread> processes;
  for (uint32_t i = 0; i < all.size(); ++i) {
    processes.emplace_back([&, i] {
      auto transport =
          start_mpi_thread([&net, i] { return Result<std::unique_ptr<Wire>>(net.wire(i)); }, all[i], limits);
      if (transport->failure().raised()) errors[i] = first_of(*transport);
      EXPECT_FALSE(transport->close(5000 * kMs));
    });
  }
  for (auto& process : processes) process.join();
  return errors;
}

TEST(MpiThread, AVersionMismatchIsOneSentenceForAll) {
  FakeNet net(3);
  const auto errors =
      start_errors(net, {{"mlpstorage 1", "a", 1}, {"mlpstorage 1", "b", 2}, {"mlpstorage 2", "c", 3}}, kQuick);
  for (const std::string& error : errors) {
    EXPECT_EQ(error, "host c (process 2) runs mlpstorage 2, but host a (process 0) runs mlpstorage 1");
  }
}

TEST(MpiThread, AProcessThatNeverStartsIsNamed) {
  FakeNet net(2);
  LinkLimits limits = kQuick;
  limits.start_ns = 100 * kMs;
  auto transport =
      start_mpi_thread([&net] { return Result<std::unique_ptr<Wire>>(net.wire(0)); }, {"mlpstorage 1", "a", 1}, limits);
  EXPECT_THAT(first_of(*transport), HasSubstr("process 1 did not come to introduction"));
}

TEST(MpiThread, AWireThatCantBeOpenedIsTheError) {
  auto transport =
      start_mpi_thread([]() -> Result<std::unique_ptr<Wire>> { return fail(ErrorCode::kMpiNotAvailable, "no MPI"); },
                       {"v", "a", 1}, kQuick);
  EXPECT_EQ(first_of(*transport), "no MPI");
  EXPECT_FALSE(transport->close(0));
}

TEST(Packet, SurvivesTheWay) {
  const Packet packet{
      .kind = PacketKind::kData, .operation = 3, .round = 4, .sequence = 5, .total = 100, .offset = 97, .body = "xyz"};
  const Bytes bytes = encode(packet);
  const auto read = decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->operation, 3);
  EXPECT_EQ(read->round, 4U);
  EXPECT_EQ(read->sequence, 5U);
  EXPECT_EQ(read->total, 100U);
  EXPECT_EQ(read->offset, 97U);
  EXPECT_EQ(read->body, "xyz");
}

TEST(Packet, DamageIsAnError) {
  const Bytes good = encode(Packet{.kind = PacketKind::kData, .total = 3, .body = "xyz"});
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode(good.substr(0, 47)));
  EXPECT_FALSE(decode(good + "x"));
  Bytes other = good;
  other[0] ^= 1;
  EXPECT_FALSE(decode(other));
  other = good;
  other[8] = 99;
  EXPECT_FALSE(decode(other));
  const Bytes notice = encode(FailureNotice{{ErrorCode::kDiskFull, "m", "d", "s"}, 7});
  EXPECT_EQ(decode_failure(notice)->gone, 7U);
  for (size_t length = 0; length < notice.size(); ++length) EXPECT_FALSE(decode_failure(notice.substr(0, length)));
}

}  // namespace
}  // namespace mlps::world
