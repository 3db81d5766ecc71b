#include "storage/http/response.hpp"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.hpp"

namespace mlps::http {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Reads all of `text` as a hexadecimal number.
bool parse_hex(std::string_view text, uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, 16);
  return !text.empty() && result.ec == std::errc{} && result.ptr == end;
}

}  // namespace

void ResponseReader::begin(Exchange& exchange) {
  exchange_ = &exchange;
  state_ = State::kHead;
  continue_seen_ = chunked_ = has_length_ = to_sink_ = closes_ = false;
  keep_alive_ = true;
  length_ = remaining_ = 0;
  header_bytes_ = begin_ = end_ = 0;
}

void ResponseReader::refuse(Failure failure, std::string words) {
  exchange_->failure = failure;
  exchange_->failure_text = std::move(words);
}

std::span<std::byte> ResponseReader::room() {
  if (state_ == State::kSized && to_sink_) return exchange_->sink.subspan(exchange_->received, remaining_);
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::as_writable_bytes(std::span(buffer_)).subspan(end_);
}

void ResponseReader::received(size_t count) {
  if (state_ == State::kSized && to_sink_) {
    body_progress(count);
    remaining_ -= count;
    if (remaining_ == 0) state_ = State::kFinished;
    return;
  }
  end_ += count;
  parse_buffer();
}

void ResponseReader::parse_buffer() {
  while (!finished() && begin_ < end_) {
    const std::string_view data(buffer_.data() + begin_, end_ - begin_);
    std::string_view line;
    switch (state_) {
      case State::kSized:
      case State::kChunkData: {
        const size_t count = std::min<uint64_t>(remaining_, data.size());
        begin_ += count;
        remaining_ -= count;
        take_body(data.substr(0, count));
        if (remaining_ == 0 && !finished()) state_ = state_ == State::kSized ? State::kFinished : State::kChunkEnd;
        break;
      }
      case State::kToEnd:
        begin_ = end_;
        take_body(data);
        break;
      default:
        if (!take_line(line)) return;
        head_line(line);
    }
  }
}

/// Removes the next line from the buffer, and gives it without its end. False while it isn't complete.
bool ResponseReader::take_line(std::string_view& line) {
  const std::string_view data(buffer_.data() + begin_, end_ - begin_);
  const auto end = data.find('\n');
  const size_t taken = end == std::string_view::npos ? data.size() : end + 1;
  if (header_bytes_ + taken > kHeadersLimit || (end == std::string_view::npos && data.size() == buffer_.size())) {
    const bool line_too_long = header_bytes_ + taken <= kHeadersLimit;
    refuse(Failure::kTooLarge, line_too_long
                                   ? fmt::format("a line of the headers is longer than {} bytes", buffer_.size())
                                   : fmt::format("the headers are longer than {} bytes", kHeadersLimit));
    return false;
  }
  if (end == std::string_view::npos) return false;
  header_bytes_ += taken;
  begin_ += taken;
  line = data.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

void ResponseReader::head_line(std::string_view line) {
  switch (state_) {
    case State::kHead:
      if (exchange_->status == 0) return status_line(line);
      return line.empty() ? head_done() : header_line(line);
    case State::kChunkSize:
      header_bytes_ = 0;  // chunks may be many; each line is bounded
      return chunk_size_line(line);
    case State::kChunkEnd:
      if (!line.empty()) return refuse(Failure::kMalformed, "a chunk of the body doesn't end where it should");
      state_ = State::kChunkSize;
      return;
    case State::kTrailer:
      if (line.empty()) state_ = State::kFinished;
      return;
    default:
      return;
  }
}

void ResponseReader::status_line(std::string_view line) {
  const bool framed =
      line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  const auto status = framed ? parse_number<unsigned>(line.substr(9, 3)) : std::nullopt;
  const bool good = status && *status >= 100 && *status <= 599;
  if (!good) return refuse(Failure::kMalformed, "what arrived is not an HTTP/1.1 answer");
  exchange_->status = static_cast<int>(*status);
  keep_alive_ = line[7] != '0';
}

void ResponseReader::header_line(std::string_view line) {
  std::string& headers = exchange_->answer_headers;
  if (line.front() == ' ' || line.front() == '\t') {  // the line before goes on here, as HTTP/1.0 had it
    if (headers.empty()) return refuse(Failure::kMalformed, "the answer holds a line that is no header");
    headers.back() = ' ';
    headers.append(trimmed(line)).append("\n");
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || trimmed(line.substr(0, colon)).empty()) {
    return refuse(Failure::kMalformed, "the answer holds a line that is no header");
  }
  headers.append(trimmed(line.substr(0, colon))).append(line.substr(colon)).append("\n");
}

/// Takes note of a header that says where the body ends, or whether the connection lives on.
void ResponseReader::framing_header(std::string_view name, std::string_view value) {
  if (same(name, "content-length")) {
    for (const std::string& one : split(value, ", \t")) {  // equal values may stand in a list
      const auto length = parse_number<uint64_t>(one);
      if (!length || (has_length_ && *length != length_)) {
        return refuse(Failure::kMalformed, "the answer's Content-Length is not a number");
      }
      has_length_ = true;
      length_ = *length;
    }
    if (!has_length_) refuse(Failure::kMalformed, "the answer's Content-Length is not a number");
  } else if (same(name, "transfer-encoding")) {
    if (!same(value, "chunked")) return refuse(Failure::kMalformed, "the answer has an unknown Transfer-Encoding");
    chunked_ = true;
  } else if (same(name, "connection")) {
    for (const std::string& option : split(value, ", \t")) {
      if (same(option, "close")) closes_ = true;
      if (same(option, "keep-alive")) keep_alive_ = true;
    }
  }
}

void ResponseReader::head_done() {
  const int status = exchange_->status;
  for (std::string_view rest = exchange_->answer_headers; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    framing_header(line.substr(0, line.find(':')), trimmed(line.substr(line.find(':') + 1)));
  }
  if (failed()) return;
  if (closes_) keep_alive_ = false;
  if (status == 101) return refuse(Failure::kMalformed, "the server switches protocols unasked");
  if (status < 200) {  // an interim answer; the real one follows
    continue_seen_ = continue_seen_ || status == 100;
    exchange_->status = 0;
    exchange_->answer_headers.clear();
    has_length_ = chunked_ = closes_ = false;
    return;
  }
  if (chunked_ && has_length_) keep_alive_ = false;  // who sends both is not to be trusted with the next answer
  to_sink_ = status < 300 && !exchange_->sink.empty();
  if (exchange_->method == Method::kHead || status == 204 || status == 304) {
    state_ = State::kFinished;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (!has_length_) {
    keep_alive_ = false;
    state_ = State::kToEnd;
  } else if (to_sink_ && length_ > exchange_->sink.size()) {
    refuse(Failure::kTooLarge, fmt::format("the body is longer than {} bytes", exchange_->sink.size()));
  } else {
    remaining_ = length_;
    state_ = length_ == 0 ? State::kFinished : State::kSized;
  }
}

void ResponseReader::chunk_size_line(std::string_view line) {
  const std::string_view digits = trimmed(line.substr(0, line.find(';')));
  if (digits.size() > 15 || !parse_hex(digits, remaining_)) {
    return refuse(Failure::kMalformed, "the length of a chunk is not a number");
  }
  state_ = remaining_ == 0 ? State::kTrailer : State::kChunkData;
}

void ResponseReader::body_progress(size_t count) {
  if (count > 0 && exchange_->first_byte_ns == 0) exchange_->first_byte_ns = now_ns();
  exchange_->received += count;
}

void ResponseReader::take_body(std::string_view data) {
  if (to_sink_) {
    if (data.size() > exchange_->sink.size() - exchange_->received) {
      return refuse(Failure::kTooLarge, fmt::format("the body is longer than {} bytes", exchange_->sink.size()));
    }
    std::memcpy(exchange_->sink.data() + exchange_->received, data.data(), data.size());
    return body_progress(data.size());
  }
  const size_t kept = std::min(data.size(), exchange_->text_limit - exchange_->text.size());
  exchange_->text.append(data.substr(0, kept));
  body_progress(data.size());
  if (kept == data.size()) return;
  keep_alive_ = false;
  if (exchange_->status < 300) {
    return refuse(Failure::kTooLarge, fmt::format("the body is longer than {} bytes", exchange_->text_limit));
  }
  state_ = State::kFinished;  // the start of an error's body is enough to know the error
}

void ResponseReader::ended(std::string_view words) {
  keep_alive_ = false;
  if (state_ == State::kToEnd) {
    state_ = State::kFinished;
  } else if (state_ == State::kSized) {
    refuse(Failure::kBroken,
           fmt::format("the body ended after {} of {} bytes ({})", exchange_->received, length_, words));
  } else {
    refuse(Failure::kBroken, fmt::format("the connection ended {} ({})",
                                         exchange_->status == 0 ? "without an answer" : "inside the answer", words));
  }
}

}  // namespace mlps::http
