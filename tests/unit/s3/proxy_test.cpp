#include <poll.h>
#include <unistd.h>

#include <thread>

#include "fixture.hpp"
#include "storage/http/service_call.hpp"
#include "tls_server.hpp"

namespace mlps::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// An HTTP proxy on 127.0.0.1 for CONNECT, one connection at a time.
class ConnectProxy {
 public:
  ConnectProxy() : listener_(listen_on_loopback(8)), thread_([this] { serve(); }) {}
  ~ConnectProxy() {
    stopping_ = true;
    thread_.join();
    close(listener_.fd);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", listener_.port); }
  /// Answers every CONNECT like this, instead of connecting.
  void refuse(std::string status_line) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(status_line);
  }
  std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  static bool ready(int fd) {
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, 20) > 0;
  }

  void serve() {
    while (!stopping_) {
      if (!ready(listener_.fd)) continue;
      const int client = accept(listener_.fd, nullptr, nullptr);
      handle(client);
      close(client);
    }
  }

  void handle(int client) {
    std::string head;
    for (char c = 0; !head.ends_with("\r\n\r\n") && read(client, &c, 1) == 1;) head += c;
    std::string answer;
    {
      const std::lock_guard lock(mutex_);
      heads_.push_back(head);
      answer = refusal_;
    }
    if (!answer.empty()) {
      answer += "\r\nContent-Length: 0\r\n\r\n";
      (void)!write(client, answer.data(), answer.size());
      return;
    }
    const auto colon = head.find(':');
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(head.substr(colon + 1))));
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      answer = "HTTP/1.1 200 Connection established\r\n\r\n";
      (void)!write(client, answer.data(), answer.size());
      relay(client, server);
    }
    close(server);
  }

  void relay(int one, int other) const {
    std::vector<char> room(1 << 16);
    while (!stopping_) {
      std::array<pollfd, 2> both = {{{one, POLLIN, 0}, {other, POLLIN, 0}}};
      poll(both.data(), both.size(), 20);
      for (size_t i = 0; i < 2; ++i) {
        if (both[i].revents == 0) continue;
        const ssize_t count = read(both[i].fd, room.data(), room.size());
        if (count <= 0) return;
        for (ssize_t sent = 0; sent < count;) {
          const ssize_t now = send(both[1 - i].fd, room.data() + sent, static_cast<size_t>(count - sent), MSG_NOSIGNAL);
          if (now <= 0) return;
          sent += now;
        }
      }
    }
  }

  Listener listener_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::string refusal_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

class ProxyTest : public S3Test {
 protected:
  void open_by(const std::string& endpoint, const std::string& proxy, const std::string& user = "",
               const std::string& ca_file = "") {
    s3::Settings settings = test_settings({endpoint});
    settings.engine.ca_file = ca_file;
    settings.engine.proxy = proxy;
    settings.engine.proxy_user = user;
    open(settings, 1);
  }

  Operation put(size_t size) {
    bytes = pattern(size);
    target = object("k", bytes.size(), 10'000'000);
    return write(*target, bytes);
  }

  std::string bytes;
  std::unique_ptr<object::RemoteObject> target;
};

// The proxy is the server: what it gets is what proxies get.
TEST_F(ProxyTest, PlainRequestsNameTheServerToTheProxy) {
  open_by("http://store.example:9000", server.url(), "user:pass word");
  server.answer_with([](const Request& request) {
    Reply reply{.headers = {{"ETag", "\"1\""}}};
    if (request.method == "HEAD") reply.announced_length = 5000;
    return reply;
  });
  EXPECT_EQ(outcome(put(5000)), "ok");
  ASSERT_EQ(server.requests().size(), 2U);
  for (const Request& request : server.requests()) {
    EXPECT_EQ(request.target, "http://store.example:9000/bkt/run%201/k");
    EXPECT_EQ(request.headers.at("host"), "store.example:9000");
    EXPECT_EQ(request.headers.at("proxy-authorization"), "Basic dXNlcjpwYXNzIHdvcmQ=");
  }
  EXPECT_EQ(server.connections(), 1) << "connections to a proxy are kept";
}

TEST_F(ProxyTest, TlsGoesThroughATunnel) {
  const TlsServer tls("IP:127.0.0.1");
  const ConnectProxy proxy;
  open_by(tls.url(), proxy.url(), "user:secretpass", tls.certificate_file());
  EXPECT_EQ(outcome(put(3'000'000)), "ok");
  EXPECT_EQ(tls.body(), bytes);
  ASSERT_EQ(proxy.heads().size(), 1U);
  EXPECT_THAT(proxy.heads().front(), AllOf(StartsWith("CONNECT " + tls.url().substr(8) + " HTTP/1.1"),
                                           HasSubstr("Proxy-Authorization: Basic dXNlcjpzZWNyZXRwYXNz")));
  EXPECT_THAT(proxy.heads().front(), ::testing::Not(HasSubstr("AWS4-HMAC")));
}

TEST_F(ProxyTest, WhatAProxyRefusesIsSaidAtOnce) {
  ConnectProxy proxy;
  open_by("https://store.example", proxy.url());
  proxy.refuse("HTTP/1.1 407 Proxy Authentication Required");
  const Operation first = put(10);
  EXPECT_THAT(outcome(first), AllOf(StartsWith("E601"), HasSubstr("407")));
  EXPECT_THAT(first.error->suggestion, HasSubstr("MLPSTORAGE_PROXY_USER"));
  EXPECT_EQ(proxy.heads().size(), 1U) << "what is forbidden isn't asked for again";
  proxy.refuse("HTTP/1.1 403 Forbidden");
  EXPECT_THAT(put(10).error->suggestion, HasSubstr("doesn't connect to this server"));
  close_session();
  EXPECT_EQ(store().server_uses().front().failures.front().cause, "refused by the proxy");
  server.inject("PUT", "", {.status = 407});
  open_by("http://store.example", server.url());
  EXPECT_THAT(put(10).error->suggestion, HasSubstr("MLPSTORAGE_PROXY_USER"));
}

TEST_F(ProxyTest, AGatewayThatCannotGetThroughIsAskedAgain) {
  ConnectProxy proxy;
  open_by("https://store.example", proxy.url());
  proxy.refuse("HTTP/1.1 502 Bad Gateway");
  const Operation operation = put(10);
  EXPECT_THAT(outcome(operation), StartsWith("E601"));
  EXPECT_GT(operation.attempts, 1U);
  EXPECT_THAT(operation.error->suggestion, HasSubstr(proxy.url()));
}

TEST_F(ProxyTest, VariablesOfTheProcessAreNotRead) {
  setenv("http_proxy", "http://127.0.0.1:9", 1);
  setenv("no_proxy", "*", 1);
  EXPECT_EQ(outcome(put(10)), "ok");
  open_by("http://store.example:9000", server.url());
  EXPECT_THAT(session().head("k").error().message, HasSubstr("HTTP 404"));
  EXPECT_EQ(server.count("HEAD", "http://store.example:9000/bkt/run%201/k"), 1);
  unsetenv("http_proxy");
  unsetenv("no_proxy");
}

TEST(ProxySettings, AreAnAddressWithoutSecrets) {
  const auto read = [](const std::string& proxy, const std::string& user = "") {
    http::Way way;
    const Status status =
        object::read_proxy(Environment({{"MLPSTORAGE_PROXY", proxy}, {"MLPSTORAGE_PROXY_USER", user}}), way);
    return status ? way.proxy + " " + way.proxy_user : code_name(status.error().code) + " " + status.error().message;
  };
  EXPECT_EQ(read("http://P.example:3128", "u:p"), "http://p.example:3128 u:p");
  EXPECT_EQ(read("p"), "http://p:80 ");
  EXPECT_EQ(read("[::1]:8080"), "http://[::1]:8080 ");
  EXPECT_EQ(read("", "u:p"), " ");
  for (const char* bad : {"https://p:1", "socks5://p:1", "http://p:1/path", "http://p:99999", "p q"}) {
    EXPECT_THAT(read(bad), AllOf(StartsWith("E102"), HasSubstr("--proxy"))) << bad;
  }
  EXPECT_THAT(read("http://me:hidden@p:1"), AllOf(StartsWith("E102"), ::testing::Not(HasSubstr("hidden"))));
  EXPECT_THAT(read("p", "u:p\r\nX: y"), StartsWith("E102"));
}

TEST(ProxySettings, ServicesBesideThisHostAreReachedDirectly) {
  for (const char* url :
       {"http://169.254.169.254/latest", "http://127.0.0.1:80", "http://localhost/x", "http://[::1]:9/",
        "http://[fd00:ec2::254]", "http://metadata.google.internal/computeMetadata"}) {
    EXPECT_TRUE(http::is_beside_host(url)) << url;
  }
  for (const char* url : {"https://sts.amazonaws.com/", "https://oauth2.googleapis.com/token?x=127.0.0.1"}) {
    EXPECT_FALSE(http::is_beside_host(url)) << url;
  }
}

TEST_F(ProxyTest, TokenServicesAreAskedThroughTheProxy) {
  server.answer_with([](const Request&) { return Reply{.body = "token"}; });
  const http::ServiceRequest request{.url = "http://sts.example/role",
                                     .way = {.proxy = server.url(), .proxy_user = "u:p"}};
  const auto answer = http::call_service(request, std::atomic<bool>(false));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "token");
  EXPECT_EQ(server.requests().front().target, "http://sts.example/role");
  EXPECT_EQ(server.requests().front().headers.at("proxy-authorization"), "Basic dTpw");
}

}  // namespace
}  // namespace mlps::test
