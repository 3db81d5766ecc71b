#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/threads.hpp"

namespace mlps::live {

/// What a request for metrics is answered with.
struct Answer {
  unsigned status = 200;
  std::string_view reason = "OK";
  bool has_metrics = true;  ///< else the text of the answer is the reason
  bool has_body = true;     ///< false: HEAD
};
/// Returns the answer to a request of HTTP/1.0 or 1.1, given from its first line to the empty one.
Answer answer_to(std::string_view request);

/// A small HTTP server for GET /metrics: one request per connection, one connection at a time, each for a second at
/// most. It answers anyone who reaches the address.
class MetricsServer {
 public:
  static constexpr size_t kMostRequestBytes = 8192;

  /// Listens at HOST:PORT ("127.0.0.1:9400", "[::1]:9400", "0.0.0.0:9400"; port 0: any that is free) and starts the
  /// thread. E102 for what is no address, and where it can't be listened at.
  static Result<std::unique_ptr<MetricsServer>> start(const std::string& address);
  ~MetricsServer();

  /// Returns the address that it listens at: "127.0.0.1:9400".
  const std::string& address() const { return address_; }
  /// Sets what is answered from now on. Any thread.
  void set_text(std::string text);

 private:
  MetricsServer() = default;
  void serve();
  void answer(int connection) const;

  Descriptor listener_, stop_;
  std::string address_;
  mutable std::mutex mutex_;
  std::string text_ = "# EOF\n";
  Threads thread_;
};

/// Returns "host" and "port" of HOST:PORT; E102 names the forms.
Result<std::pair<std::string, std::string>> split_address(std::string_view address);

}  // namespace mlps::live
