#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/zstd.hpp"
#include "storage/op_log.hpp"

namespace mlps::replay {

/// One line of an operation log.
struct LogLine {
  std::optional<storage::LogOp> op;  ///< nothing: one that only its tool knows
  std::string word;                  ///< the op as it stands there
  std::string file;                  ///< bucket and key, or the path; without scheme, server and a '/' in front
  uint64_t bytes = 0;
  uint64_t offset = 0;      ///< of the bytes in the object; 0 where the log doesn't say
  int64_t start_ns = 0;     ///< since the epoch
  int64_t duration_ns = 0;  ///< 0 where the log doesn't say
  bool failed = false;
  bool moves_data = true;  ///< false for what surrounds the data: the beginning and the end of an upload
};

/// Reads operation logs of this program, of warp and of s3dlio: a table with a head line and tabs (or commas) between
/// the columns, as text or compressed with zstd. Made for input that anyone may have written: its memory is bounded,
/// and every error names file and line. One thread.
class LogReader {
 public:
  /// Fills the span from its front and returns how many bytes there were; 0 at the end.
  using Read = std::function<Result<size_t>(std::span<char>)>;

  /// `name` stands for the log in errors.
  LogReader(Read read, std::string name);
  /// Returns a reader of a file.
  static Result<LogReader> open(const std::string& path);

  /// Reads the next line into `line`; false at the end. E404 for what is no such log. A log that ends inside a
  /// compressed frame, as one of a killed process does, ends there: see is_cut().
  Result<bool> next(LogLine& line);
  bool is_cut() const { return cut_; }

 private:
  enum Column : uint8_t { kOp, kBytes, kFile, kError, kStart, kEnd, kDuration, kObjects, kEndpoint, kOffset, kRequest };
  static constexpr size_t kColumns = 11;

  Result<bool> next_text(std::string_view& text);
  Result<bool> more();
  Status read_head(std::string_view text);
  void split(std::string_view text);
  std::string_view field(Column column) const;
  Status fill(LogLine& line) const;
  tl::unexpected<Error> wrong(std::string_view why) const;

  Read read_;
  std::string name_;
  std::unique_ptr<ZstdDecompressor> decompressor_;
  std::vector<char> raw_;
  std::string_view packed_;  // what is left of raw_
  std::string text_;         // what is read and not yet handed out begins at begin_
  size_t begin_ = 0;
  uint64_t number_ = 0;  // of the line
  bool started_ = false;
  bool ended_ = false;
  bool cut_ = false;
  char separator_ = '\t';
  std::array<std::optional<size_t>, kColumns> columns_;
  std::vector<std::string> fields_;
  size_t field_count_ = 0;
};

/// Returns the nanoseconds since the epoch of "2025-10-01T12:34:56.789123456Z", with "Z" or an offset at its end;
/// nothing for other text and for times before 1970 or after 2250.
std::optional<int64_t> parse_log_time(std::string_view text);

}  // namespace mlps::replay
