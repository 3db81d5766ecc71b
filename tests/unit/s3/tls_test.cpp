#include <sys/resource.h>

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

}  // namespace
}  // namespace mlps::test
