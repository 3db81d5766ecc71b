#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/http/exchange.hpp"

namespace mlps::http {

/// Reads one HTTP/1.x answer out of a byte stream into an exchange. Bodies of known length are received straight into
/// their final place; room() says where the next bytes go. Everything a server sends is bounded.
class ResponseReader {
 public:
  /// The limit for all headers together in bytes, interim answers and trailers included.
  static constexpr size_t kHeadersLimit = size_t{64} << 10;

  void begin(Exchange& exchange);

  /// Returns the memory into which the next bytes are to be received; never empty unless finished().
  std::span<std::byte> room();
  /// Takes note that `count` bytes have arrived in room().
  void received(size_t count);
  /// Takes note that the connection ended. Afterwards the answer is finished, or exchange.failure says why not.
  void ended(std::string_view words);

  /// Returns how many bytes of a body of known length are still to be received into the exchange's sink.
  size_t sink_missing() const { return state_ == State::kSized && to_sink_ ? remaining_ : 0; }

  bool finished() const { return state_ == State::kFinished || failed(); }
  bool failed() const { return exchange_->failure != Failure::kNone; }
  bool continue_seen() const { return continue_seen_; }
  /// Returns whether the connection can carry another request after this answer.
  bool reusable() const { return keep_alive_ && !failed() && begin_ == end_; }

 private:
  enum class State : uint8_t { kHead, kSized, kToEnd, kChunkSize, kChunkData, kChunkEnd, kTrailer, kFinished };

  void parse_buffer();
  bool take_line(std::string_view& line);
  void head_line(std::string_view line);
  void status_line(std::string_view line);
  void header_line(std::string_view line);
  void framing_header(std::string_view name, std::string_view value);
  void head_done();
  void chunk_size_line(std::string_view line);
  void take_body(std::string_view data);
  void body_progress(size_t count);
  void refuse(Failure failure, std::string words);

  Exchange* exchange_ = nullptr;
  State state_ = State::kHead;
  bool continue_seen_ = false;
  bool keep_alive_ = true;
  bool closes_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool to_sink_ = false;
  uint64_t length_ = 0;     // of the body
  uint64_t remaining_ = 0;  // of the body or of the chunk
  size_t header_bytes_ = 0;
  size_t begin_ = 0;  // unparsed bytes of buffer_
  size_t end_ = 0;
  std::array<char, size_t{16} << 10> buffer_;
};

}  // namespace mlps::http
