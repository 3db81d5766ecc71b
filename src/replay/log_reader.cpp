#include "replay/log_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/descriptor.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;

constexpr size_t kPiece = size_t{64} << 10;
constexpr size_t kMostLine = size_t{64} << 10;
constexpr size_t kMostFields = 256;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMostSeconds = 8'836'000'000;  // in 2250

std::optional<LogOp> op_of(std::string_view word) {
  const std::string known = lower(word);
  if (known == "head") return LogOp::kStat;
  for (const LogOp op : {LogOp::kGet, LogOp::kPut, LogOp::kDelete, LogOp::kStat, LogOp::kList}) {
    if (known == lower(storage::log_op_name(op))) return op;
  }
  return std::nullopt;
}

/// Returns a name without the server and the scheme that some logs have in front of it.
std::string_view bare_name(std::string_view file, std::string_view endpoint) {
  if (!endpoint.empty() && file.starts_with(endpoint)) file.remove_prefix(endpoint.size());
  const auto scheme = file.find("://");
  if (scheme != std::string_view::npos && file.find('/') == scheme + 1) file.remove_prefix(scheme + 3);
  while (file.starts_with('/')) file.remove_prefix(1);
  return file;
}

}  // namespace

std::optional<int64_t> parse_log_time(std::string_view text) {
  const auto seconds = parse_iso_time(text);
  if (!seconds || *seconds < 0 || *seconds > kMostSeconds) return std::nullopt;
  int64_t nanoseconds = 0;
  if (const auto point = text.find('.'); point != std::string_view::npos) {
    int64_t unit = kSecond;
    for (size_t i = point + 1; i < text.size() && text[i] >= '0' && text[i] <= '9' && unit > 1; ++i) {
      unit /= 10;
      nanoseconds += (text[i] - '0') * unit;
    }
  }
  return *seconds * kSecond + nanoseconds;
}

LogReader::LogReader(Read read, std::string name) : read_(std::move(read)), name_(std::move(name)), raw_(kPiece) {}

Result<LogReader> LogReader::open(const std::string& path) {
  auto file = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file->is_open()) return fail(errno_error(errno, "open the operation log " + path));
  const auto read = [file, path](std::span<char> room) -> Result<size_t> {
    for (;;) {
      const ssize_t count = ::read(file->get(), room.data(), room.size());
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return fail(errno_error(errno, "read the operation log " + path));
    }
  };
  return LogReader(read, path);
}

tl::unexpected<Error> LogReader::wrong(std::string_view why) const {
  return fail(ErrorCode::kInvalidStructure, fmt::format("{}, line {}: {}", name_, number_, why), {},
              "an operation log is written by --op-log, by warp or by s3dlio");
}

// ---- bytes to lines

/// Reads some more text; false at the end.
Result<bool> LogReader::more() {
  if (begin_ > 0) text_.erase(0, std::exchange(begin_, 0));
  for (;;) {
    if (decompressor_) {
      const size_t before = text_.size();
      text_.resize(before + kPiece);
      const auto made = decompressor_->decompress(packed_, std::span(text_).subspan(before));
      text_.resize(before + made.value_or(0));
      if (!made) return wrong(made.error().message);
      if (*made > 0) return true;
    }
    const auto count = read_(raw_);
    if (!count) return fail(count.error());
    packed_ = std::string_view(raw_.data(), *count);
    if (*count == 0) {
      cut_ = decompressor_ && decompressor_->inside_frame();
      return false;
    }
    if (!std::exchange(started_, true) && packed_.starts_with(kZstdMagic)) {
      decompressor_ = std::make_unique<ZstdDecompressor>();
    }
    if (decompressor_) continue;
    text_ += packed_;
    return true;
  }
}

/// Returns the next line that isn't empty, without its end; false at the end. Valid until the next call.
Result<bool> LogReader::next_text(std::string_view& text) {
  size_t looked = 0;
  for (;;) {
    const auto end = text_.find('\n', begin_ + looked);
    if (end == std::string::npos) {
      if (text_.size() - begin_ > kMostLine) return wrong("it has more than 64 KiB");
      looked = text_.size() - begin_;
      if (!ended_) {
        const auto read = more();
        if (!read) return read;
        if (*read) continue;
        ended_ = true;
      }
      if (begin_ == text_.size() || cut_) return false;  // of a log that is cut off the last line is half
    }
    ++number_;
    const size_t stop = std::min(end, text_.size());
    if (stop - begin_ > kMostLine) return wrong("it has more than 64 KiB");
    text = std::string_view(text_).substr(begin_, stop - begin_);
    begin_ = end == std::string::npos ? stop : stop + 1;
    looked = 0;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (!text.empty() && text.front() != '#') return true;
  }
}

// ---- lines to fields

/// Splits a line into fields_; a field in quotes may hold separators, and quotes twice.
void LogReader::split(std::string_view text) {
  field_count_ = 0;
  for (size_t at = 0; at <= text.size() && field_count_ < kMostFields;) {
    if (fields_.size() == field_count_) fields_.emplace_back();
    std::string& out = fields_[field_count_++];
    out.clear();
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size(); ++at) {
        if (text[at] == '"' && !text.substr(at + 1).starts_with('"')) break;
        if (text[at] == '"') ++at;
        out += text[at];
      }
      ++at;  // the quote
    }
    const auto end = std::min(text.find(separator_, std::min(at, text.size())), text.size());
    if (at < end) out += text.substr(at, end - at);
    at = end + 1;
  }
}

std::string_view LogReader::field(Column column) const {
  const auto index = columns_.at(column);
  return index && *index < field_count_ ? std::string_view(fields_[*index]) : std::string_view();
}

Status LogReader::read_head(std::string_view text) {
  constexpr std::array<std::string_view, kColumns> kNames = {
      "op", "bytes", "file", "error", "start", "end", "duration_ns", "n_objects", "endpoint", "offset", "request"};
  separator_ = text.find('\t') == std::string_view::npos ? ',' : '\t';
  split(text);
  for (size_t i = 0; i < field_count_; ++i) {
    std::string name = lower(trimmed(fields_[i]));
    if (name == "operation") name = "op";
    if (name == "t_start") name = "start";
    for (size_t column = 0; column < kColumns; ++column) {
      if (name == kNames[column]) columns_[column] = i;
    }
  }
  for (const Column column : {kOp, kBytes, kFile, kStart}) {
    if (!columns_[column]) return wrong(fmt::format("the head line names no column '{}'", kNames[column]));
  }
  return {};
}

Status LogReader::fill(LogLine& line) const {
  const auto number = [this](Column column, uint64_t& into) {
    const std::string_view text = field(column);
    const auto value = parse_number<uint64_t>(text);
    into = value.value_or(0);
    return value.has_value() || text.empty();
  };
  line.word = printable(field(kOp), 40);
  line.op = op_of(field(kOp));
  if (!number(kBytes, line.bytes) || line.bytes > uint64_t{1} << 50) {
    return wrong(fmt::format("'{}' is no number of bytes", printable(field(kBytes), 40)));
  }
  if (!number(kOffset, line.offset) || line.offset > uint64_t{1} << 50) {
    return wrong(fmt::format("'{}' is no offset", printable(field(kOffset), 40)));
  }
  const auto start = parse_log_time(field(kStart));
  if (!start) return wrong(fmt::format("'{}' is no time", printable(field(kStart), 40)));
  line.start_ns = *start;
  uint64_t duration = 0;
  line.duration_ns = 0;
  if (const auto end = parse_log_time(field(kEnd)); end && *end > *start) {
    line.duration_ns = *end - *start;
  } else if (number(kDuration, duration) && duration < uint64_t{1} << 60) {
    line.duration_ns = static_cast<int64_t>(duration);
  }
  line.failed = !trimmed(field(kError)).empty();
  line.file = bare_name(field(kFile), field(kEndpoint));
  line.moves_data = !columns_[kRequest] || field(kObjects) != "0";
  return {};
}

Result<bool> LogReader::next(LogLine& line) {
  std::string_view text;
  if (number_ == 0) {
    const auto head = next_text(text);
    if (!head) return head;
    if (!*head) return wrong("there is nothing");
    if (Status good = read_head(text); !good) return fail(std::move(good.error()));
  }
  const auto there = next_text(text);
  if (!there || !*there) return there;
  split(text);
  if (Status good = fill(line); !good) return fail(std::move(good.error()));
  return true;
}

}  // namespace mlps::replay
