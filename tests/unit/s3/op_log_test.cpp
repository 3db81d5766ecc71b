#include "storage/op_log.hpp"

#include <unistd.h>

#include <filesystem>

#include "fixture.hpp"
#include "replay/log_reader.hpp"

namespace mlps::test {
namespace {

/// A store whose requests are kept in a log.
class OpLogOfRequests : public S3Test {
 protected:
  OpLogOfRequests() : path(fmt::format("/tmp/op_log_of_requests_{}", getpid())) {
    std::filesystem::remove(path);
    log = *storage::OpLog::open(path, "host:0");
    s3::Settings settings = test_settings({server.url()});
    settings.op_log = log;
    open(std::move(settings));
  }
  ~OpLogOfRequests() override { std::filesystem::remove(path); }

  /// Ends the log and returns its lines, each as "op file bytes offset", with "data" and "failed" where that is so.
  std::vector<std::string> lines() {
    close_session();
    EXPECT_TRUE(log->close());
    auto reader = replay::LogReader::open(path);
    std::vector<std::string> all;
    for (replay::LogLine line; *reader->next(line);) {
      EXPECT_GE(line.duration_ns, 0);
      all.push_back(fmt::format("{} {} {} {}{}{}", line.word, line.file, line.bytes, line.offset,
                                line.moves_data ? " data" : "", line.failed ? " failed" : ""));
    }
    return all;
  }

  std::string path;
  std::shared_ptr<storage::OpLog> log;
};

TEST_F(OpLogOfRequests, EveryAttemptIsALine) {
  std::string bytes = pattern(kPart + 1000);
  server.inject("PUT", "partNumber=2", error_reply(503, "SlowDown"));
  server.inject("GET", "", {.fault = Reply::Fault::kResetAtOnce});
  const auto target = object("k", bytes.size());
  EXPECT_EQ(outcome(write(*target, bytes)), "ok");
  std::string read(1000, ' ');
  EXPECT_EQ(outcome(run(OpKind::kReadPart, *target, 1, bytes_of(read))), "ok");
  EXPECT_THAT(lines(), ::testing::UnorderedElementsAre("PUT bkt/run 1/k 0 0", "PUT bkt/run 1/k 5242880 0 data",
                                                       "PUT bkt/run 1/k 1000 5242880 data failed",
                                                       "PUT bkt/run 1/k 1000 5242880 data", "PUT bkt/run 1/k 0 0",
                                                       "STAT bkt/run 1/k 0 0", "GET bkt/run 1/k 0 5242880 data failed",
                                                       "GET bkt/run 1/k 1000 5242880 data"));
}

TEST_F(OpLogOfRequests, ARequestThatFindsNoServerIsALine) {
  server.close_port(0);
  EXPECT_FALSE(session().head("k"));
  const auto all = lines();
  ASSERT_FALSE(all.empty());
  for (const std::string& line : all) EXPECT_EQ(line, "STAT bkt/run 1/k 0 0 failed");
}

}  // namespace
}  // namespace mlps::test
