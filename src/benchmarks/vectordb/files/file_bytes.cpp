#include "benchmarks/vectordb/files/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/crc.hpp"
#include "base/descriptor.hpp"
#include "base/units.hpp"

namespace mlps::vectordb {
namespace {

constexpr size_t kChecksumPiece = 4 * kMiB;

class OpenFile final : public FileBytes {
 public:
  OpenFile(std::string path, Descriptor file, uint64_t size)
      : FileBytes(std::move(path)), file_(std::move(file)), size_(size) {}

  uint64_t size() const override { return size_; }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return wrong(fmt::format("it has {} bytes; {} more from {} on are needed", size_, out.size(), offset));
    }
    while (!out.empty()) {
      const ssize_t count = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(ErrorCode::kStorageIo, fmt::format("read of {}", name()), std::strerror(errno));
      if (count == 0) return wrong("it has become shorter");
      out = out.subspan(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return {};
  }

 private:
  Descriptor file_;
  uint64_t size_;
};

class MemoryBytes final : public FileBytes {
 public:
  MemoryBytes(std::string name, std::vector<std::byte> bytes) : FileBytes(std::move(name)), bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return wrong("it is cut off");
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

tl::unexpected<Error> FileBytes::wrong(const std::string& what) const {
  return fail(ErrorCode::kDataMismatch, fmt::format("{}: {}", name_, what), {},
              "check how the file was made; docs/vectordb.md says what is read");
}

Result<std::unique_ptr<FileBytes>> open_bytes(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    return fail(errno == ENOENT ? ErrorCode::kPathNotFound : ErrorCode::kStorageIo, fmt::format("open of {}", path),
                std::strerror(errno), "give the path of a file with vectors, on every host");
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} is no file", path), {},
                "give the path of a file with vectors");
  }
  return std::make_unique<OpenFile>(path, std::move(file), static_cast<uint64_t>(about.st_size));
}

std::unique_ptr<FileBytes> bytes_in_memory(std::string name, std::vector<std::byte> bytes) {
  return std::make_unique<MemoryBytes>(std::move(name), std::move(bytes));
}

Result<uint64_t> checksum_of(const FileBytes& bytes) {
  std::vector<std::byte> piece(std::min<uint64_t>(kChecksumPiece, bytes.size()));
  uint64_t checksum = crc64nvme({});
  for (uint64_t at = 0; at < bytes.size(); at += piece.size()) {
    const auto part = std::span(piece).first(std::min<uint64_t>(piece.size(), bytes.size() - at));
    if (Status read = bytes.read(at, part); !read) return fail(read.error());
    checksum = crc64nvme(part, checksum);
  }
  return checksum;
}

}  // namespace mlps::vectordb
