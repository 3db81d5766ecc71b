#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/http/exchange.hpp"

namespace mlps::http {

struct EngineSettings {
  size_t upload_buffer_bytes = size_t{1} << 20;     ///< body bytes handed to the kernel at a time
  size_t receive_buffer_bytes = size_t{512} << 10;  ///< bytes asked from the kernel at a time
  unsigned connect_seconds = 20;
  std::string ca_file;  ///< PEM bundle for TLS; empty: the system's
};

/// HTTP/1.1 over libcurl's multi interface: many exchanges at once on one thread, on kept-alive connections that
/// belong to this engine. TLS always verifies the peer; no proxy, redirect, .netrc or variable of the process is
/// followed. Not thread-safe, except wake().
class Engine {
 public:
  virtual ~Engine() = default;

  /// Starts an exchange. At most `slots` may be under way.
  virtual void start(Exchange& exchange) = 0;
  /// Appends completed exchanges to `done`, waiting for the first one up to `timeout` or until wake().
  virtual void poll(std::chrono::nanoseconds timeout, std::vector<Exchange*>& done) = 0;
  /// Ends an exchange without completing it; its connection is closed. Nothing to do for one not under way.
  virtual void drop(Exchange& exchange) = 0;
  /// From any thread: the current poll(), or the next one, returns early.
  virtual void wake() = 0;
};

Result<std::unique_ptr<Engine>> make_engine(const EngineSettings& settings, unsigned slots);

/// "libcurl/7.88.1 OpenSSL/3.0.x", for the record.
std::string library_version();

}  // namespace mlps::http
