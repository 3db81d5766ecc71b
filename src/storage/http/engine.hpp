#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/http/exchange.hpp"
#include "storage/http/way.hpp"

namespace mlps::http {

struct EngineSettings : Way {
  unsigned connect_seconds = 20;
  std::string certificate_file = {};  ///< PEM file of a certificate of this client, for servers that ask; empty: none
  std::string key_file = {};          ///< PEM file of its key
};

/// "libcurl/7.88.1 OpenSSL/3.0.x", for the record.
std::string library_version();

/// HTTP/1.1: many exchanges at once on one thread, each on a kept-alive connection of its own. libcurl makes the
/// connections and encrypts; requests and answers are framed here, so that bodies go from the caller's memory to the
/// kernel, and from there to the caller's memory, without a copy in between (libcurl's own HTTP makes one each way).
/// TLS always verifies the peer; no redirect, .netrc or variable of the process is followed. Through a proxy, https
/// goes by CONNECT, and http in requests that name the server. Not thread-safe, except wake(). The process must ignore
/// SIGPIPE: OpenSSL writes without MSG_NOSIGNAL, and libcurl is told to leave the process's signals alone.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Starts an exchange. At most `slots` may be under way.
  virtual void start(Exchange& exchange) = 0;
  /// Appends completed exchanges to `done`, waiting for the first one up to `timeout` or until wake().
  virtual void poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) = 0;
  /// Ends an exchange without completing it; its connection is closed. Nothing to do for one not under way.
  virtual void drop(Exchange& exchange) = 0;
  /// Makes the current poll(), or the next one, return early. Any thread may call it.
  virtual void wake() = 0;
};

Result<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, unsigned slots);

}  // namespace mlps::http
