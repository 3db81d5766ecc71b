#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "benchmarks/kvcache/compression.hpp"

namespace mlps::kvcache {

/// Reads a text file, plain, gzip or zstd, line by line or by pieces, in memory that
/// doesn't depend on its size. One thread.
class TraceText {
 public:
  /// The longest line, and the longest record: a request of 10 million tokens
  /// has a line of about 1 MB.
  static constexpr size_t kMostLine = 64 << 20;

  /// E103 for what is not there, E204 for zstd where there is no library for it.
  static Result<std::unique_ptr<TraceText>> open(const std::string& path);
  ~TraceText();

  /// Gives the next line without its end, until the next call; false at the end
  /// of the file.
  Result<bool> next_line(std::string_view& line);
  /// Gives the next character without taking it; false at the end.
  Result<bool> peek(char& character);
  /// Takes white space, and gives the character behind it without taking it;
  /// false at the end.
  Result<bool> peek_mark(char& character);
  /// Takes the character that was given.
  void take() { ++begin_; }
  /// Takes the JSON value that begins here, up to the comma or bracket that
  /// ends it.
  Result<bool> next_value(std::string& value);
  /// Begins anew.
  Status rewind();

  const std::string& path() const { return path_; }
  uint64_t line_number() const { return line_number_; }

 private:
  explicit TraceText(std::string path);
  Status fill();
  Result<size_t> read(char* out);
  Result<size_t> unpack(char* out);
  Error of_file(Error error) const;
  Result<bool> have();

  const std::string path_;
  int fd_ = -1;
  std::unique_ptr<Unpacker> unpacker_;  // none: plain text
  std::string input_;                   // of the file, where it is packed
  std::string_view packed_;             // the part of it that is not unpacked yet
  std::string buffer_;                  // text; begin_ is the first character not taken
  size_t begin_ = 0;
  bool at_end_ = false;
  uint64_t line_number_ = 0;
};

}  // namespace mlps::kvcache
