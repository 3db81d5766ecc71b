#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "fixture.hpp"
#include "tls_server.hpp"

namespace mlps::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsTest : public S3Test {
 protected:
  void open_to(const TlsServer& tls, const std::string& ca_file) {
    s3::Settings settings = test_settings({tls.url()});
    settings.engine.ca_file = ca_file;
    open(settings);
  }
};

TEST_F(TlsTest, LargeBodiesBothWays) {
  const TlsServer tls("IP:127.0.0.1");
  open_to(tls, tls.certificate_file());
  std::string bytes = pattern(9'000'001);
  auto target = object("k", bytes.size(), 10'000'000);
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  EXPECT_EQ(tls.body(), bytes);
  std::string back(bytes.size(), '\0');
  EXPECT_EQ(outcome(run(OpKind::kReadPart, *target, 0, bytes_of(back))), "ok");
  EXPECT_EQ(back, bytes);
}

TEST_F(TlsTest, ResetsDuringAnUploadAreSurvivedAndRepeated) {
  TlsServer tls("IP:127.0.0.1");
  open_to(tls, tls.certificate_file());
  tls.reset_uploads(1);
  std::string bytes = pattern(9'000'000);
  auto target = object("k", bytes.size(), 10'000'000);
  run(OpKind::kBeginWrite, *target);
  const Operation part = write_part(*target, bytes, 0);
  EXPECT_EQ(outcome(part), "ok");
  EXPECT_EQ(part.attempts, 2U);
  EXPECT_GT(part.retried_bytes, bytes.size() / 4);
  EXPECT_EQ(tls.body(), bytes);
}

TEST_F(TlsTest, AnUnknownAuthorityIsRefusedAtOnce) {
  const TlsServer tls("IP:127.0.0.1");
  open_to(tls, "");
  auto source = object("k", 10);
  std::string room(10, '\0');
  const Operation read = run(OpKind::kReadPart, *source, 0, bytes_of(room));
  EXPECT_THAT(outcome(read), AllOf(StartsWith("E601"), HasSubstr("certificate")));
  EXPECT_EQ(read.attempts, 1U);
  EXPECT_THAT(read.error->suggestion, HasSubstr("AWS_CA_BUNDLE"));
}

TEST_F(TlsTest, ACertificateForAnotherNameIsRefused) {
  const TlsServer tls("DNS:elsewhere.example");
  open_to(tls, tls.certificate_file());
  auto source = object("k", 10);
  std::string room(10, '\0');
  const Operation read = run(OpKind::kReadPart, *source, 0, bytes_of(room));
  EXPECT_THAT(outcome(read), StartsWith("E601"));
  EXPECT_THAT(read.error->suggestion, HasSubstr("another name than 127.0.0.1"));
}

// O10
TEST_F(TlsTest, ACertificateOutsideOfItsTimeIsNamedAsSuch) {
  for (const auto& [begins, ends] : {std::pair(-7200L, -3600L), std::pair(3600L, 7200L)}) {
    const TlsServer tls("IP:127.0.0.1", begins, ends);
    open_to(tls, tls.certificate_file());
    const auto refused = session().head("k");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnreachable);
    EXPECT_THAT(refused.error().message, HasSubstr(begins < 0 ? "expired" : "not yet valid"));
    EXPECT_EQ(refused.error().suggestion, "Renew the server's certificate, or set this host's clock.");
  }
}

TEST_F(TlsTest, ServersMayAskForACertificateOfTheClient) {
  TlsServer tls("IP:127.0.0.1");
  tls.ask_for_certificate();
  s3::Settings settings = test_settings({tls.url()});
  settings.engine.ca_file = tls.certificate_file();
  settings.retry.max_attempts = 1;
  open(settings);
  EXPECT_EQ(session().head("k").error().code, ErrorCode::kStorageUnreachable);
  settings.engine.certificate_file = tls.certificate_file();
  settings.engine.key_file = tls.key_file();
  open(settings);
  std::string bytes = pattern(1000);
  EXPECT_TRUE(session().put("k", bytes_of(bytes)));
  EXPECT_EQ(tls.body(), bytes);
}

TEST_F(TlsTest, PlainHttpBehindHttpsIsNoConnection) {
  s3::Settings settings = test_settings({"https://127.0.0.1:" + std::to_string(server.port())});
  settings.retry.max_attempts = 1;
  settings.engine.connect_seconds = 1;
  open(settings);
  const auto refused = session().head("k");
  EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnreachable);
  EXPECT_THAT(refused.error().suggestion, HasSubstr("speaks TLS"));
}

// O10
TEST_F(TlsTest, AHostThatIsNotThereIsNamedAsSuch) {
  s3::Settings settings = test_settings({"http://no-such-host.invalid"});
  settings.retry.max_attempts = 1;
  open(settings);
  const auto refused = session().head("k");
  EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnreachable);
  EXPECT_THAT(refused.error().suggestion, HasSubstr("no such host"));
}

// O8: this host's limit is not blamed on the server.
TEST_F(TlsTest, ALimitOfThisHostIsNamedAsSuch) {
  s3::Settings settings = test_settings({server.url()});
  settings.retry.max_attempts = 2;
  open(settings);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto refused = session().head("k");
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnreachable);
  EXPECT_THAT(refused.error().message, HasSubstr("Too many open files"));
  EXPECT_THAT(refused.error().suggestion, AllOf(HasSubstr("limit of this host"), HasSubstr("ulimit -n")));
}

/// Gives the calling thread a network of its own, whose one port for connections is taken. Returns the port of a
/// listener there; 0 without the right to that.
uint16_t without_local_ports(std::vector<int>& descriptors) {
  if (unshare(CLONE_NEWNET) != 0) return 0;
  ifreq up = {};
  std::strcpy(up.ifr_name, "lo");
  up.ifr_flags = IFF_UP;
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  descriptors.push_back(any);
  std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "41000 41000\n";
  if (ioctl(any, SIOCSIFFLAGS, &up) != 0) return 0;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(9000);
  for (int i = 0; i < 2; ++i) descriptors.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptors[1], generic, sizeof address) != 0 || listen(descriptors[1], 8) != 0) return 0;
  return connect(descriptors[2], generic, sizeof address) == 0 ? 9000 : 0;
}

// O8
TEST_F(TlsTest, PortsOfThisHostThatAreUsedUpAreNamedAsSuch) {
  bool possible = false;
  std::string told;
  std::thread([&] {
    std::vector<int> descriptors;
    if (const uint16_t port = without_local_ports(descriptors); port != 0) {
      possible = true;
      s3::Settings settings = test_settings({fmt::format("http://127.0.0.1:{}", port)});
      settings.retry.max_attempts = 2;
      open(settings);
      told = render(session().head("k").error());
      close_session();
    }
    for (const int descriptor : descriptors) close(descriptor);
  }).join();
  if (!possible) GTEST_SKIP() << "no right to make a network of one's own";
  EXPECT_THAT(told, AllOf(HasSubstr("E601"), HasSubstr("Cannot assign requested address"),
                          HasSubstr("limit of this host"), HasSubstr("ip_local_port_range")));
}

}  // namespace
}  // namespace mlps::test
