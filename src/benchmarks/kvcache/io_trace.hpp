#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/zstd.hpp"
#include "benchmarks/kvcache/entry_io.hpp"

namespace mlps::kvcache {

/// Writes a line of CSV for every move of an entry, when it begins, with the columns of mlpstorage 3.0:
/// `Timestamp,Operation,Object_Size_Bytes,Tier,Key,Phase`. Any thread.
class IoTrace {
 public:
  /// Makes the file anew; packed by zstd if its name ends in ".zst".
  static Result<std::unique_ptr<IoTrace>> open(const std::string& path);
  ~IoTrace();

  void add(uint32_t rank, const EntryOp& op);
  /// Writes what is left, and returns the first error of writing.
  Status finish();

 private:
  IoTrace(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  void flush(bool last);

  const std::string path_;
  Descriptor file_;
  std::mutex mutex_;
  std::string text_;
  std::optional<ZstdCompressor> packer_;  // none: plain text
  bool finished_ = false;
  Status status_;
};

}  // namespace mlps::kvcache
