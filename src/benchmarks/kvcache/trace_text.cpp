#include "benchmarks/kvcache/trace_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mlps::kvcache {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr std::string_view kGzip = "\x1f\x8b";
constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";

}  // namespace

/// The state of a gzip file that is being read; several members may follow one
/// another.
struct TraceText::Inflater {
  inflate_state state{};
  isal_gzip_header header{};
  std::vector<uint8_t> input = std::vector<uint8_t>(kPiece);

  Inflater() { start_member(); }
  void start_member() {
    const uint32_t left = state.avail_in;
    uint8_t* const next = state.next_in;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.avail_in = left;
    state.next_in = next;
  }
};

TraceText::TraceText(std::string path) : path_(std::move(path)) {}

TraceText::~TraceText() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<TraceText>> TraceText::open(const std::string& path) {
  std::unique_ptr<TraceText> text(new TraceText(path));
  text->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (text->fd_ < 0) {
    Error error = errno_error(errno, fmt::format("open trace {}", path));
    if (errno == ENOENT) error.code = ErrorCode::kConfigFileNotFound;
    return fail(std::move(error));
  }
  if (Status begun = text->rewind(); !begun) return fail(begun.error());
  return text;
}

Status TraceText::rewind() {
  char magic[4] = {};
  if (::lseek(fd_, 0, SEEK_SET) < 0 || ::pread(fd_, magic, sizeof magic, 0) < 0) {
    return fail(errno_error(errno, fmt::format("read trace {}", path_)));
  }
  const std::string_view head(magic, sizeof magic);
  if (head == kZstd) {
    return fail(ErrorCode::kConfigParse, fmt::format("trace {} is zstd, which this build can't read", path_), {},
                "decompress it (zstd -d), or compress it with gzip");
  }
  inflater_ = head.starts_with(kGzip) ? std::make_unique<Inflater>() : nullptr;
  buffer_.clear();
  begin_ = 0;
  at_end_ = false;
  line_number_ = 0;
  return {};
}

/// Appends more text to the buffer, or sets at_end_.
Status TraceText::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t old = buffer_.size();
  if (old > kMostLine) {
    return fail(ErrorCode::kConfigParse, fmt::format("trace {}: a record after line {} is longer than {} bytes", path_,
                                                     line_number_, kMostLine));
  }
  const auto read_into = [&](void* data) -> Result<size_t> {
    const ssize_t count = ::read(fd_, data, kPiece);
    if (count < 0) return fail(errno_error(errno, fmt::format("read trace {}", path_)));
    return static_cast<size_t>(count);
  };
  buffer_.resize(old + kPiece);
  size_t got = 0;
  if (inflater_ == nullptr) {
    const auto count = read_into(buffer_.data() + old);
    if (!count) return fail(count.error());
    got = *count;
    at_end_ = got == 0;
  } else {
    inflate_state& state = inflater_->state;
    while (got == 0 && !at_end_) {
      if (state.block_state == ISAL_BLOCK_FINISH && state.avail_in > 0) inflater_->start_member();
      if (state.avail_in == 0) {
        const auto count = read_into(inflater_->input.data());
        if (!count) return fail(count.error());
        state.next_in = inflater_->input.data();
        state.avail_in = static_cast<uint32_t>(*count);
        if (*count == 0) {
          const bool whole = state.block_state == ISAL_BLOCK_FINISH;
          if (!whole) return fail(ErrorCode::kConfigParse, fmt::format("trace {}: its gzip data end too early", path_));
          at_end_ = true;
          break;
        }
        if (state.block_state == ISAL_BLOCK_FINISH) inflater_->start_member();
      }
      state.next_out = reinterpret_cast<uint8_t*>(buffer_.data() + old);
      state.avail_out = kPiece;
      if (isal_inflate(&state) != ISAL_DECOMP_OK) {
        return fail(ErrorCode::kConfigParse, fmt::format("trace {}: its gzip data are damaged", path_));
      }
      got = kPiece - state.avail_out;
    }
  }
  buffer_.resize(old + got);
  return {};
}

Result<bool> TraceText::have() {
  while (begin_ == buffer_.size() && !at_end_) {
    if (Status filled = fill(); !filled) return fail(filled.error());
  }
  return begin_ < buffer_.size();
}

Result<bool> TraceText::next_line(std::string_view& line) {
  size_t looked = begin_;
  for (;;) {
    const size_t end = buffer_.find('\n', looked);
    if (end != std::string::npos || (at_end_ && begin_ < buffer_.size())) {
      const size_t stop = std::min(end, buffer_.size());
      line = std::string_view(buffer_).substr(begin_, stop - begin_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      begin_ = std::min(stop + 1, buffer_.size());
      ++line_number_;
      return true;
    }
    if (at_end_) return false;
    looked = buffer_.size() - begin_;  // where the new text will begin
    if (Status filled = fill(); !filled) return fail(filled.error());
  }
}

Result<bool> TraceText::peek(char& character) {
  const auto there = have();
  if (there && *there) character = buffer_[begin_];
  return there;
}

Result<bool> TraceText::peek_mark(char& character) {
  for (;;) {
    const auto there = peek(character);
    if (!there || !*there || std::string_view(" \t\r\n").find(character) == std::string_view::npos) return there;
    take();
  }
}

Result<bool> TraceText::next_value(std::string& value) {
  value.clear();
  int depth = 0;
  bool quoted = false, escaped = false;
  char character = 0;
  for (;;) {
    const auto there = peek(character);
    if (!there) return there;
    if (!*there) return !value.empty();
    if (!quoted && depth == 0 && (character == ',' || character == ']')) return true;
    ++begin_;
    value += character;
    if (value.size() > kMostLine) {
      return fail(ErrorCode::kConfigParse, fmt::format("trace {}: a record is longer than {} bytes", path_, kMostLine));
    }
    if (quoted) {
      quoted = escaped || character != '"';
      escaped = !escaped && character == '\\';
    } else {
      quoted = character == '"';
      depth += character == '{' || character == '[' ? 1 : character == '}' || character == ']' ? -1 : 0;
    }
  }
}

}  // namespace mlps::kvcache
