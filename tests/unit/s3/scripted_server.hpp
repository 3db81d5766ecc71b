#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../support/loopback.hpp"

namespace mlps::test {

/// A request as the server saw it.
struct Request {
  std::string method;
  std::string target;                          ///< path and query as sent
  std::string path;                            ///< before '?'
  std::string query;                           ///< after '?'
  std::map<std::string, std::string> headers;  ///< lower-case names
  std::string body;
  int connection = 0;  ///< which connection it came by, counted from 0
  size_t port = 0;     ///< which of the server's ports
  bool kept = false;   ///< the connection had a request before
};

/// What the server does with a request.
struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};

  enum class Fault {
    kNone,
    kResetAtOnce,     ///< without a byte, after the request was read
    kResetInHeaders,  ///< after half of the headers
    kResetInBody,     ///< after half of the body
    kResetInUpload,   ///< after `upload_bytes` bytes of the request's body
    kShortBody,       ///< closes in order after half of the announced body
    kHang,            ///< never answers
    kGarbage,         ///< HTML without a status line, then the end
    kRefuseEarly,     ///< answers before reading the request's body and closes
    kLeftovers,       ///< the answer, and bytes behind it that belong to none
  };
  Fault fault = Fault::kNone;
  size_t upload_bytes = 0;
  bool one_byte_pieces = false;
  bool close = false;  ///< answers "Connection: close" and does it
  bool chunked = false;
  bool early_hints = false;                       ///< an answer 103 in front
  int delay_ms = 0;                               ///< before the answer
  std::optional<uint64_t> announced_length = {};  ///< Content-Length other than the body's
};

/// An HTTP/1.1 server on 127.0.0.1 that plays S3 in memory, and breaks what the test asks it to. Plain blocking
/// sockets, one thread per connection.
class ScriptedServer {
 public:
  /// Listens on `ports` ports, as many endpoints of one store.
  explicit ScriptedServer(size_t ports = 1);
  ~ScriptedServer();

  uint16_t port(size_t index = 0) const { return listeners_.at(index).port; }
  std::string url(size_t index = 0) const;
  std::vector<std::string> urls() const;
  /// Closes a port: connections to it are refused.
  void close_port(size_t index);
  /// Closes a port, and resets the connections that it has.
  void cut_port(size_t index);

  /// The next `times` requests with this method whose target contains `part` get `reply`, before the store sees them.
  void inject(std::string method, std::string part, Reply reply, int times = 1);
  /// The same for the requests that come by one port.
  void inject_at(size_t port, std::string method, std::string part, Reply reply, int times = 1 << 30);
  /// Changes the store's own answers to matching requests.
  void alter(std::string method, std::string part, std::function<void(Reply&)> change, int times = 1 << 30);

  /// Asks `before` about each request ahead of its body, for an answer in place of the store's; where there is none,
  /// the store carries the request out, and `after` may change its answer. Both are called with the server's lock held,
  /// and are set before the first request. Requests aren't kept then.
  void disturb(std::function<std::optional<Reply>(const Request&)> before,
               std::function<void(const Request&, Reply&)> after) {
    before_ = std::move(before);
    after_ = std::move(after);
  }

  /// Has `handler` answer in place of the S3 store; called with the server's lock held.
  void answer_with(std::function<Reply(const Request&)> handler) { handler_ = std::move(handler); }

  /// Keeps the server from carrying out anything, so that what it has stored can be looked at.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

  std::vector<Request> requests() const;
  int count(std::string_view method, std::string_view part = "") const;
  std::vector<Request> requests_at(size_t port) const;
  int count_at(size_t port) const;
  int connections() const { return connections_.load(); }

  std::map<std::string, std::string> objects() const;  ///< path -> bytes
  void put_object(const std::string& path, std::string bytes);
  size_t open_uploads() const;
  std::vector<std::string> paths_of_uploads() const;  ///< sorted
  /// Whether checksums are confirmed and reported, as AWS does.
  void keep_checksums(bool keep) { keep_checksums_ = keep; }

 private:
  struct Rule {
    std::string method;
    std::string part;
    int left = 0;
    Reply reply;
    std::function<void(Reply&)> change;
    std::optional<size_t> port;
  };
  struct Stored {
    std::string bytes;
    std::string etag;
    std::pair<std::string, std::string> checksum;  ///< header and value
    int64_t modified = 0;
  };
  struct Upload {
    std::string path;
    std::map<int, Stored> parts;
  };

  /// A connection that is open.
  struct Connection {
    int fd = -1;
    size_t port = 0;
  };

  void accept_all(size_t port);
  void keep(const Request& request);
  void serve(int fd, size_t port, int number);
  bool read_head(int fd, std::string& pending, Request& request);
  bool read_body(int fd, std::string& pending, Request& request, size_t stop_after);
  std::optional<Reply> injected(const Request& request);
  Reply store(const Request& request);
  Reply s3_reply(const Request& request);
  Reply put_part(const Request& request);
  Reply complete(const Request& request);
  Reply get(const Request& request) const;
  Reply list(const Request& request) const;
  Reply list_uploads(const Request& request) const;
  bool send_reply(int fd, const Request& request, const Reply& reply);

  std::vector<Listener> listeners_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  bool keep_checksums_ = false;
  mutable std::mutex mutex_;
  std::function<Reply(const Request&)> handler_;  // set before the first request, as the next two
  std::function<std::optional<Reply>(const Request&)> before_;
  std::function<void(const Request&, Reply&)> after_;
  std::vector<Rule> rules_;
  std::vector<Request> requests_;
  std::map<std::string, Stored> objects_;
  std::map<std::string, Upload> uploads_;
  int next_upload_ = 1;
  std::vector<Connection> sockets_;
  std::vector<std::thread> threads_;
  std::vector<std::thread> acceptors_;
};

/// Value of `name` in a query string, undecoded; empty when absent.
std::string query_value(const std::string& query, const std::string& name);

/// An S3 error body.
std::string error_xml(const std::string& code, const std::string& message);
Reply error_reply(int status, const std::string& code, const std::string& message = "said the server");

}  // namespace mlps::test
