#pragma once

#include <curl/curl.h>
#include <poll.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/http/engine.hpp"
#include "storage/http/exchange.hpp"

namespace mlps::http {

class Connector;

/// A byte stream to an origin. libcurl makes it (names, addresses, TCP, TLS and its certificates) and encrypts; the
/// bytes of plain streams are moved by the socket itself, since libcurl would receive at most CURLOPT_BUFFERSIZE at a
/// time.
class Connection {
 public:
  Connection(Connector& connector, std::string origin, CURL* easy);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Outcome of moving bytes: some were moved, none can be now, or the stream ended.
  struct Moved {
    size_t bytes = 0;
    bool partly = false;  ///< fewer than offered: no more can be moved now
    bool again = false;
    bool ended = false;
  };
  Moved send(std::span<const std::byte> data);
  Moved receive(std::span<std::byte> room);
  /// Acknowledges what has arrived at once. A server that sends head and body apart without TCP_NODELAY waits for that
  /// before it sends the body, and the kernel would let it wait for 40 ms.
  void acknowledge();
  /// Lets poll() report data only when `bytes` have arrived, or the end; plain streams only, where the socket knows.
  void set_low_water(size_t bytes);
  size_t low_water() const { return low_water_; }
  /// Returns the library's or the system's words about why the stream ended.
  std::string words() const;
  int descriptor() const { return descriptor_; }
  const std::string& origin() const { return origin_; }

  bool served = false;      ///< an exchange has completed on it
  Nanos idle_since_ns = 0;  ///< when that was

 private:
  friend class Connector;

  static curl_socket_t open_socket(void* connection, curlsocktype purpose, curl_sockaddr* address);
  Moved moved(CURLcode code, size_t count);
  Moved plain(ssize_t count, size_t asked);

  Connector& connector_;
  std::string origin_;
  CURL* easy_;
  bool tls_;
  bool connecting_ = true;
  int descriptor_ = -1;
  size_t low_water_ = 1;
  CURLcode last_ = CURLE_OK;
  int last_errno_ = 0;
  int local_errno_ = 0;  ///< why this host gave no socket for the connection
  std::array<char, CURL_ERROR_SIZE> error_words_ = {};
};

/// The outcome of making a connection.
struct Connected {
  Connection* connection = nullptr;
  Failure failure = Failure::kNone;
  std::string words = {};
};

/// Makes connections, several at a time, without blocking. Belongs to one thread, and outlives its connections.
class Connector {
 public:
  static Result<std::unique_ptr<Connector>> make(const EngineSettings& settings);
  ~Connector() { curl_multi_cleanup(multi_); }
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Begins a connection, which is not usable until next_connected() reports it. Null when libcurl has no memory.
  std::unique_ptr<Connection> connect(const std::string& origin, unsigned connect_seconds);
  /// Moves connections on; true and an outcome, or false when there is none now.
  bool next_connected(Connected& outcome);
  /// Waits until a connection can be moved on or one of `descriptors` has an event, whose revents are set.
  void wait(std::span<pollfd> descriptors, int milliseconds);

 private:
  friend class Connection;

  Connector(const EngineSettings& settings, CURLM* multi) : settings_(settings), multi_(multi) {}
  void set_options(Connection& connection, unsigned connect_seconds) const;

  EngineSettings settings_;
  CURLM* multi_;
  size_t connecting_ = 0;
  std::vector<curl_waitfd> waited_;
};

}  // namespace mlps::http
