#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/periodic_thread.hpp"
#include "base/zstd.hpp"

/// The operation log of a process: one line for every request to the storage, as a Zstandard-compressed table with
/// tabs between its columns. The first columns are those of warp and s3dlio, whose readers go by the head line and
/// leave out further ones.
namespace mlps::storage {

/// What the tools that read such logs know of a request.
enum class LogOp : uint8_t { kGet, kPut, kDelete, kStat, kList };

std::string_view log_op_name(LogOp op);  ///< "GET", "PUT", "DELETE", "STAT", "LIST"

/// The head line, with its end.
extern const std::string_view kOpLogHead;

/// One request as the log tells of it. Its texts are copied.
struct LoggedRequest {
  LogOp op = LogOp::kGet;
  bool moves_data = false;  ///< it stores or reads (a part of) an object, or removes it
  uint32_t attempt = 1;     ///< of the operation that it serves
  int status = 0;           ///< of HTTP; 0: there was none
  uint64_t bytes = 0;       ///< of its body that were moved
  uint64_t offset = 0;      ///< of the body in the object
  Nanos start_ns = 0;       ///< of now_ns()
  Nanos first_byte_ns = 0;  ///< 0: no byte of a body came
  Nanos end_ns = 0;
  std::string_view request = {};  ///< as the protocol calls it: "UploadPart"
  std::string_view endpoint = {};
  std::string_view file = {};   ///< bucket and key, or the path
  std::string_view error = {};  ///< why it failed; empty: it didn't
};

/// One session's way into the log: a ring that the session fills and the log's writer empties. No lock; where the ring
/// is full the session waits for the writer, and the log counts for how long. After OpLog::close() nothing is kept.
class OpLogChannel {
 public:
  /// Keeps a request for the writer. One thread.
  void add(const LoggedRequest& request);

 private:
  friend class OpLog;

  static constexpr size_t kRingBytes = size_t{256} << 10;

  explicit OpLogChannel(uint32_t number) : number_(number), ring_(new char[kRingBytes]) {}
  void put(uint64_t at, const void* bytes, size_t count);
  void take(uint64_t at, void* bytes, size_t count) const;

  const uint32_t number_;
  const std::unique_ptr<char[]> ring_;
  std::string packed_;  ///< the session's scratch memory
  alignas(64) std::atomic<uint64_t> filled_ = 0;
  alignas(64) std::atomic<uint64_t> emptied_ = 0;
  std::atomic<Nanos> waited_ns_ = 0;
  std::atomic<bool> closed_ = false;
};

/// The log file of this process, with the thread that writes it. Any thread may open channels.
class OpLog {
 public:
  /// Makes the file `path`, which must not be there yet (E105), and starts the writer. `client` names this process
  /// in every line.
  static Result<std::shared_ptr<OpLog>> open(const std::string& path, std::string client);
  ~OpLog() { (void)close(); }

  /// Returns a channel for one session, whose lines have its number as their thread.
  std::shared_ptr<OpLogChannel> open_channel();

  /// Ends the log: writes what the channels still hold, and the file's end. No channel may be filled any more. Returns
  /// the first error of writing; the lines after it are lost. May be called again.
  Status close();

  uint64_t lines() const { return lines_; }  ///< after close()
  Nanos waited_ns() const;                   ///< for how long sessions waited for the writer, together; after close()

 private:
  OpLog(std::string path, std::string client, Descriptor file);
  void write_waiting();
  void take_all(OpLogChannel& channel);
  void append_line(const LoggedRequest& request, uint32_t thread);
  void append_time(Nanos moment_ns);
  void write_text(ZstdCompressor::Then then);

  const std::string path_;
  const std::string client_;
  const Stamp opened_;
  std::mutex mutex_;  ///< for channels_
  std::vector<std::shared_ptr<OpLogChannel>> channels_;
  uint32_t next_number_ = 0;

  // The writer's alone, and of close() after it.
  Descriptor file_;
  ZstdCompressor compressor_;
  std::string text_;
  std::string compressed_;
  std::string packed_;
  std::string seconds_text_;
  int64_t seconds_ = -1;
  uint64_t lines_ = 0;
  Nanos closed_channels_waited_ns_ = 0;
  Nanos flushed_ns_ = 0;
  Status outcome_;
  PeriodicThread writer_;
};

}  // namespace mlps::storage
