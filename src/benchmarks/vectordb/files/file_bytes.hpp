#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mlps::vectordb {

/// The bytes of a file that somebody else has written. Any thread may read any of them at any time.
class FileBytes {
 public:
  explicit FileBytes(std::string name) : name_(std::move(name)) {}
  virtual ~FileBytes() = default;

  const std::string& name() const { return name_; }  ///< for errors
  virtual uint64_t size() const = 0;
  /// Fills `out`. E606 for what lies beyond the end, also where the file has become shorter.
  virtual Status read(uint64_t offset, std::span<std::byte> out) const = 0;

  /// Returns the error that says what is wrong with the file.
  tl::unexpected<Error> wrong(const std::string& what) const;

 private:
  std::string name_;
};

/// Opens a file. E401 if it is not there, E103 if it is none.
Result<std::unique_ptr<FileBytes>> open_bytes(const std::string& path);
/// Returns bytes in memory.
std::unique_ptr<FileBytes> bytes_in_memory(std::string name, std::vector<std::byte> bytes);

/// Returns the CRC-64/NVME of all bytes.
Result<uint64_t> checksum_of(const FileBytes& bytes);

/// Converts numbers that stand one after the other, in the machine's order and at any address.
template <class Stored, class Out>
void convert_all(const std::byte* from, std::span<Out> out) {
  for (Out& value : out) {
    Stored stored;
    std::memcpy(&stored, from, sizeof stored);
    from += sizeof stored;
    value = static_cast<Out>(stored);
  }
}

/// Reads numbers, as the machine has them, one after the other. After a read that failed all others give 0, and
/// status() has the error.
class FileCursor {
 public:
  FileCursor(const FileBytes& bytes, uint64_t offset) : bytes_(bytes), at_(offset) {}

  template <class Number>
  Number take() {
    Number value{};
    take_bytes(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  void take_bytes(std::span<std::byte> out) {
    if (status_) status_ = bytes_.read(at_, out);
    at_ += out.size();
    if (!status_) std::fill(out.begin(), out.end(), std::byte{0});
  }
  void skip(uint64_t count) { at_ += count; }
  uint64_t at() const { return at_; }
  const Status& status() const { return status_; }

 private:
  const FileBytes& bytes_;
  uint64_t at_;
  Status status_;
};

}  // namespace mlps::vectordb
