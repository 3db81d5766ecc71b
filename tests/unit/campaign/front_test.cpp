// What stands in front of a storage server, or in its place, is told alike on every protocol: in its own words, with
// the right advice.
#include <gmock/gmock.h>

#include "object_store_test.hpp"
#include "services.hpp"

namespace mlps::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Front : public ::testing::TestWithParam<Protocol> {
 protected:
  Front() : service(make_service(GetParam(), 1)) {
    object::TransferSettings settings;
    shorten_waits(settings);
    store = service->open(settings);
    session = std::move(*store->open_session(1));
  }

  /// Has every request answered in this way.
  void answer(Reply reply) {
    service->server().disturb([reply](const Request&) { return std::optional(reply); }, [](const Request&, Reply&) {});
  }
  std::string put() {
    const std::string bytes = "bytes";
    const Status done = session->put("x", std::as_bytes(std::span(bytes)));
    return done ? "ok" : render(done.error());
  }
  std::string reach() {
    const Status done = session->reach();
    return done ? "ok" : render(done.error());
  }

  const std::unique_ptr<Service> service;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<storage::Session> session;
};

Reply page(int status, const std::string& text) {
  return {.status = status, .headers = {{"Content-Type", "text/html"}}, .body = "<html><h1>" + text + "</h1></html>"};
}

TEST_P(Front, APortThatSpeaksTls) {
  answer(page(400, "The plain HTTP request was sent to HTTPS port"));
  EXPECT_THAT(put(), AllOf(HasSubstr("[E605]"), HasSubstr("The plain HTTP request was sent to HTTPS port"),
                           HasSubstr("This port speaks TLS: write the endpoint with https://")));
  // The first request of a run, which is a HEAD on two of the protocols: its answer has no words.
  EXPECT_THAT(reach(), AllOf(HasSubstr("[E605]"), HasSubstr("speaks TLS"), HasSubstr("https://")));
}

TEST_P(Front, ALimitOnBodies) {
  answer(page(413, "413 Request Entity Too Large"));
  EXPECT_THAT(put(), AllOf(HasSubstr("[E607]"), HasSubstr("413 Request Entity Too Large"),
                           HasSubstr("client_max_body_size"), HasSubstr("--io-part-size")));
}

TEST_P(Front, AFilter) {
  answer(page(403, "Blocked by policy 4711"));
  EXPECT_THAT(put(), AllOf(HasSubstr("[E602]"), HasSubstr("HTTP 403: Blocked by policy 4711")));
}

TEST_P(Front, APageThatIsNoStorage) {
  answer(page(405, "Not allowed"));
  EXPECT_THAT(put(), AllOf(HasSubstr("[E605]"), HasSubstr("HTTP 405: Not allowed"), HasSubstr("does not look like")));
}

INSTANTIATE_TEST_SUITE_P(Protocols, Front, ::testing::Values(Protocol::kS3, Protocol::kAzure, Protocol::kGoogle));

}  // namespace
}  // namespace mlps::test
