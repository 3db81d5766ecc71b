#include "benchmarks/kvcache/trace_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mlps::kvcache {
namespace {

constexpr size_t kPiece = 256 << 10;
}  // namespace

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
  unpacker_ = unpacker_for(std::string_view(magic, sizeof magic));
  input_.clear();
  packed_ = {};
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
  buffer_.resize(old + kPiece);
  const auto got = unpacker_ == nullptr ? read(buffer_.data() + old) : unpack(buffer_.data() + old);
  if (!got) return fail(got.error());
  at_end_ = *got == 0;
  buffer_.resize(old + *got);
  return {};
}

/// Reads at most kPiece bytes of the file.
Result<size_t> TraceText::read(char* out) {
  const ssize_t count = ::read(fd_, out, kPiece);
  if (count < 0) return fail(errno_error(errno, fmt::format("read trace {}", path_)));
  return static_cast<size_t>(count);
}

/// Unpacks some text, at most kPiece characters; nothing at the end.
Result<size_t> TraceText::unpack(char* out) {
  for (;;) {
    if (packed_.empty()) {
      input_.resize(kPiece);
      const auto count = read(input_.data());
      if (!count) return count;
      packed_ = std::string_view(input_).substr(0, *count);
      if (*count == 0) {
        if (unpacker_->is_whole()) return 0;
        return fail(ErrorCode::kConfigParse, fmt::format("trace {}: its packed data end too early", path_));
      }
    }
    const auto made = unpacker_->unpack(packed_, out, kPiece);
    if (!made) return fail(of_file(made.error()));
    if (*made > 0) return made;
  }
}

Error TraceText::of_file(Error error) const {
  error.message = fmt::format("trace {}: {}", path_, error.message);
  return error;
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
