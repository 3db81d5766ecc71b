#pragma once

#include <poll.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/http/exchange.hpp"

namespace mlps::http {

struct EngineSettings {
  unsigned connect_seconds = 20;
  std::string ca_file;  ///< PEM bundle for TLS; empty: the system's
};

/// A byte stream to an origin. libcurl makes it (names, addresses, TCP, TLS and its certificates) and encrypts; the
/// bytes of plain streams are moved by the socket itself.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Outcome of moving bytes: some were moved, none can be now, or the stream ended.
  struct Moved {
    size_t bytes = 0;
    bool partly = false;  ///< fewer than offered: no more can be moved now
    bool again = false;
    bool ended = false;
  };
  virtual Moved send(std::span<const std::byte> data) = 0;
  virtual Moved receive(std::span<std::byte> room) = 0;
  /// Acknowledges what has arrived at once. A server that sends head and body apart without TCP_NODELAY waits for that
  /// before it sends the body, and the kernel would let it wait for 40 ms.
  virtual void acknowledge() = 0;
  /// Returns the library's or the system's words about why the stream ended.
  virtual std::string words() const = 0;
  virtual int descriptor() const = 0;

  const std::string& origin() const { return origin_; }
  bool served = false;      ///< an exchange has completed on it
  Nanos idle_since_ns = 0;  ///< when that was

 protected:
  explicit Connection(std::string origin) : origin_(std::move(origin)) {}

 private:
  std::string origin_;
};

/// The outcome of making a connection.
struct Connected {
  Connection* connection = nullptr;
  Failure failure = Failure::kNone;
  std::string words = {};
};

/// Makes connections, several at a time, without blocking. Belongs to one thread.
class Connector {
 public:
  virtual ~Connector() = default;
  /// Begins a connection, which is not usable until next_connected() reports it. The connector must outlive it. Null
  /// when libcurl has no memory.
  virtual std::unique_ptr<Connection> connect(const std::string& origin) = 0;
  /// Moves connections on; true and an outcome, or false when there is none now.
  virtual bool next_connected(Connected& outcome) = 0;
  /// Waits until a connection can be moved on or one of `descriptors` (pollfd[count]) has an event, whose revents are
  /// set.
  virtual void wait(pollfd* descriptors, size_t count, int milliseconds) = 0;
  virtual size_t connecting() const = 0;
};

Result<std::unique_ptr<Connector>> make_connector(const EngineSettings& settings);

/// "libcurl/7.88.1 OpenSSL/3.0.x", for the record.
std::string library_version();

}  // namespace mlps::http
