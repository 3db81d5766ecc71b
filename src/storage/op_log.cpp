#include "storage/op_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/log.hpp"
#include "base/write_all.hpp"

namespace mlps::storage {
namespace {

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kBetweenLooks = 20 * kMillisecond;
constexpr Nanos kRoomWait = kMillisecond / 5;

// After a crash no more than this much is missing.
constexpr Nanos kBetweenFlushes = 1000 * kMillisecond;

constexpr size_t kTextPiece = size_t{256} << 10;

// Of a text in one line; what is longer is no key of any storage.
constexpr size_t kMostText = size_t{8} << 10;

/// The fixed part of a packed request; the lengths are those of the texts behind it.
struct Packed {
  uint64_t bytes, offset;
  Nanos start_ns, first_byte_ns, end_ns;
  int32_t status;
  uint32_t attempt;
  LogOp op;
  bool moves_data;
  std::array<uint16_t, 4> lengths;
};

/// Appends a text as a field: without control characters, in quotes where it has one, as readers of CSV expect.
void append_field(std::string& out, std::string_view text) {
  const bool quoted = text.find('"') != std::string_view::npos;
  if (quoted) out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  if (quoted) out += '"';
}

}  // namespace

std::string_view log_op_name(LogOp op) {
  static constexpr std::array<std::string_view, 5> kNames = {"GET", "PUT", "DELETE", "STAT", "LIST"};
  return kNames.at(static_cast<size_t>(op));
}

constexpr std::string_view kOpLogHead =
    "idx\tthread\top\tclient_id\tn_objects\tbytes\tendpoint\tfile\terror\tstart\tfirst_byte\tend\tduration_ns\t"
    "request\tstatus\tattempt\toffset\n";

// ---- the session's side

void OpLogChannel::put(uint64_t at, const void* bytes, size_t count) {
  if (count == 0) return;  // of an empty text, `bytes` may be null
  const size_t begin = at % kRingBytes;
  const size_t first = std::min(count, kRingBytes - begin);
  std::memcpy(ring_.get() + begin, bytes, first);
  std::memcpy(ring_.get(), static_cast<const char*>(bytes) + first, count - first);
}

void OpLogChannel::take(uint64_t at, void* bytes, size_t count) const {
  if (count == 0) return;
  const size_t begin = at % kRingBytes;
  const size_t first = std::min(count, kRingBytes - begin);
  std::memcpy(bytes, ring_.get() + begin, first);
  std::memcpy(static_cast<char*>(bytes) + first, ring_.get(), count - first);
}

void OpLogChannel::add(const LoggedRequest& request) {
  Packed packed = {};
  packed.bytes = request.bytes;
  packed.offset = request.offset;
  packed.start_ns = request.start_ns;
  packed.first_byte_ns = request.first_byte_ns;
  packed.end_ns = request.end_ns;
  packed.status = request.status;
  packed.attempt = request.attempt;
  packed.op = request.op;
  packed.moves_data = request.moves_data;
  const std::array texts = {request.request, request.endpoint, request.file, request.error};
  size_t total = sizeof packed;
  for (size_t i = 0; i < texts.size(); ++i) {
    packed.lengths[i] = static_cast<uint16_t>(std::min(texts[i].size(), kMostText));
    total += packed.lengths[i];
  }
  const uint64_t at = filled_.load(std::memory_order_relaxed);
  if (at + total - emptied_.load(std::memory_order_acquire) > kRingBytes) {
    const Nanos begin = now_ns();
    while (at + total - emptied_.load(std::memory_order_acquire) > kRingBytes) {
      if (closed_.load()) return;
      sleep_for(kRoomWait);
    }
    waited_ns_.fetch_add(now_ns() - begin, std::memory_order_relaxed);
  }
  put(at, &packed, sizeof packed);
  uint64_t end = at + sizeof packed;
  for (size_t i = 0; i < texts.size(); ++i) {
    put(end, texts[i].data(), packed.lengths[i]);
    end += packed.lengths[i];
  }
  filled_.store(end, std::memory_order_release);
}

// ---- the writer's side

OpLog::OpLog(std::string path, std::string client, Descriptor file)
    : path_(std::move(path)), client_(std::move(client)), opened_(Stamp::now()), file_(std::move(file)) {
  text_ = kOpLogHead;
}

Result<std::shared_ptr<OpLog>> OpLog::open(const std::string& path, std::string client) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.is_open() && errno == EEXIST) {
    return fail(ErrorCode::kConfigIncompatible, fmt::format("--op-log: {} is there already", path), {},
                "name another file, or move that one away");
  }
  if (!file.is_open()) return fail(errno_error(errno, fmt::format("create the operation log {}", path)));
  std::shared_ptr<OpLog> log(new OpLog(path, std::move(client), std::move(file)));
  const Status started = log->writer_.start(
      {.name = "operation log"}, [] { return now_ns() + kBetweenLooks; }, [raw = log.get()] { raw->write_waiting(); });
  if (!started) return fail(started.error());
  return log;
}

std::shared_ptr<OpLogChannel> OpLog::open_channel() {
  const std::lock_guard lock(mutex_);
  channels_.push_back(std::shared_ptr<OpLogChannel>(new OpLogChannel(next_number_++)));
  return channels_.back();
}

/// Appends the moment as time of the wall clock, in UTC with nanoseconds.
void OpLog::append_time(Nanos moment_ns) {
  constexpr Nanos kSecond = 1'000'000'000;
  const int64_t wall_ns = opened_.wall_us * 1000 + (moment_ns - opened_.monotonic_ns);
  if (const time_t seconds = wall_ns / kSecond; seconds != seconds_) {
    seconds_ = seconds;
    tm parts = {};
    gmtime_r(&seconds, &parts);
    seconds_text_ = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  }
  fmt::format_to(std::back_inserter(text_), "{}.{:09}Z", seconds_text_, wall_ns % kSecond);
}

void OpLog::append_line(const LoggedRequest& request, uint32_t thread) {
  const auto out = std::back_inserter(text_);
  fmt::format_to(out, "{}\t{}\t{}\t{}\t{}\t{}\t", lines_++, thread, log_op_name(request.op), client_,
                 request.moves_data ? 1 : 0, request.bytes);
  for (const std::string_view field : {request.endpoint, request.file, request.error}) {
    append_field(text_, field);
    text_ += '\t';
  }
  append_time(request.start_ns);
  text_ += '\t';
  if (request.first_byte_ns != 0) append_time(request.first_byte_ns);
  text_ += '\t';
  append_time(request.end_ns);
  fmt::format_to(out, "\t{}\t{}\t", request.end_ns - request.start_ns, request.request);
  if (request.status != 0) fmt::format_to(out, "{}", request.status);
  fmt::format_to(out, "\t{}\t{}\n", request.attempt, request.offset);
}

void OpLog::take_all(OpLogChannel& channel) {
  uint64_t at = channel.emptied_.load(std::memory_order_relaxed);
  const uint64_t end = channel.filled_.load(std::memory_order_acquire);
  while (at < end) {
    Packed packed;
    channel.take(at, &packed, sizeof packed);
    at += sizeof packed;
    size_t total = 0;
    for (const uint16_t length : packed.lengths) total += length;
    packed_.resize(total);
    channel.take(at, packed_.data(), total);
    at += total;
    channel.emptied_.store(at, std::memory_order_release);
    std::array<std::string_view, 4> texts;
    size_t begin = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      texts[i] = std::string_view(packed_).substr(begin, packed.lengths[i]);
      begin += packed.lengths[i];
    }
    append_line({.op = packed.op,
                 .moves_data = packed.moves_data,
                 .attempt = packed.attempt,
                 .status = packed.status,
                 .bytes = packed.bytes,
                 .offset = packed.offset,
                 .start_ns = packed.start_ns,
                 .first_byte_ns = packed.first_byte_ns,
                 .end_ns = packed.end_ns,
                 .request = texts[0],
                 .endpoint = texts[1],
                 .file = texts[2],
                 .error = texts[3]},
                channel.number_);
    if (text_.size() >= kTextPiece) write_text(ZstdCompressor::Then::kGoOn);
  }
}

void OpLog::write_waiting() {
  std::vector<std::shared_ptr<OpLogChannel>> channels;
  {
    const std::lock_guard lock(mutex_);
    channels = channels_;
  }
  for (const auto& channel : channels) take_all(*channel);
  const Nanos now = now_ns();
  if (now - flushed_ns_ < kBetweenFlushes) return;
  flushed_ns_ = now;
  write_text(ZstdCompressor::Then::kFlush);
  // Channels of sessions that are gone: only this list and the copy of it hold them.
  channels.clear();
  const std::lock_guard lock(mutex_);
  std::erase_if(channels_, [this](const std::shared_ptr<OpLogChannel>& channel) {
    if (channel.use_count() != 1 || channel->filled_.load() != channel->emptied_.load()) return false;
    closed_channels_waited_ns_ += channel->waited_ns_.load();
    return true;
  });
}

/// Compresses and writes the text; after an error it is dropped, so that no session waits for a log that can't be.
void OpLog::write_text(ZstdCompressor::Then then) {
  compressed_.clear();
  if (outcome_) outcome_ = compressor_.compress(text_, then, compressed_);
  text_.clear();
  if (!outcome_ || compressed_.empty()) return;
  outcome_ = write_all(file_.get(), compressed_, "write the operation log " + path_);
  if (!outcome_) log::error("The operation log ends here: {}.", outcome_.error().message);
}

Status OpLog::close() {
  writer_.stop();
  if (!file_.is_open()) return outcome_;
  for (const auto& channel : channels_) {
    channel->closed_.store(true);
    take_all(*channel);
  }
  write_text(ZstdCompressor::Then::kEnd);
  if (const int code = file_.close(); code != 0 && outcome_) {
    outcome_ = fail(errno_error(code, "close the operation log " + path_));
  }
  return outcome_;
}

Nanos OpLog::waited_ns() const {
  Nanos sum = closed_channels_waited_ns_;
  for (const auto& channel : channels_) sum += channel->waited_ns_.load();
  return sum;
}

}  // namespace mlps::storage
