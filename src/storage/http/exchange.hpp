#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace mlps::http {

enum class Method : uint8_t { kGet, kHead, kPut, kPost, kDelete };

std::string_view method_name(Method method);  ///< "GET", ...

/// The reasons why no complete answer arrived. An HTTP error status is an answer, not a failure.
enum class Failure : uint8_t {
  kNone,
  kConnect,    ///< no connection, so nothing of the request was sent: name, address, refused, time-out, TLS handshake
  kTls,        ///< the server's certificate was refused
  kBroken,     ///< the connection ended before the answer was complete
  kStalled,    ///< connected, then no byte for the stall time, or the total time was used up
  kTooLarge,   ///< the body is larger than there is room for
  kMalformed,  ///< what arrived is not HTTP
  kProxy,      ///< the proxy refuses to connect, so nothing of the request was sent
  kLocal,      ///< the library could not do its part (memory, limits)
};

/// Request header lines as they are sent, in memory that is kept from one request to the next.
struct HeaderList {
  std::string text;
  void add(std::string_view name, std::string_view value) {  ///< neither may hold CR or LF
    text.append(name).append(": ").append(value).append("\r\n");
  }
};

/// One HTTP request and its answer, reused from request to request so that its memory stays. The owner fills the
/// first block and keeps everything in place until the engine hands the exchange back.
struct Exchange {
  Method method = Method::kGet;
  std::string origin;  ///< "http://host:port" or "https://host:port"
  std::string target;  ///< path and query, sent as they are
  HeaderList headers;  ///< Host among them; Content-Length and Expect are the engine's
  std::span<const std::byte> body = {};
  std::span<std::byte> sink = {};       ///< where the body of a 2xx answer goes; empty: into `text`
  size_t text_limit = size_t{1} << 20;  ///< most body bytes kept as `text`
  bool expect_continue = false;         ///< ask before sending the body; it is sent after a second without an answer
  bool fresh_connection = false;        ///< not on one that has served before
  unsigned connect_seconds = 20;        ///< give up after this long without a connection
  unsigned stall_seconds = 30;          ///< give up after this long without a byte in either direction
  unsigned total_milliseconds = 0;      ///< 0: no limit
  void* owner = nullptr;

  Failure failure = Failure::kNone;
  std::string failure_text;    ///< the library's words
  int status = 0;              ///< 0: no status line arrived
  std::string answer_headers;  ///< lines as received, bounded
  std::string text;            ///< body that did not go to the sink
  uint64_t received = 0;       ///< body bytes received
  uint64_t sent = 0;           ///< body bytes handed to the kernel
  Nanos first_byte_ns = 0;     ///< first byte of the body; 0: none
  Nanos progress_ns = 0;       ///< when a byte was last moved in either direction, or the connection was made; 0: never
  bool reused = false;         ///< the connection had served before
  int slot = -1;               ///< the engine's own

  /// Value of an answer header (case-insensitive name), without surrounding blanks.
  std::optional<std::string_view> header(std::string_view name) const;
  /// Forgets the answer of an earlier attempt. The engine does it at start.
  void reset_answer();
};

}  // namespace mlps::http
