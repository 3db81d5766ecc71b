#include "reports/package.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>

#include "base/descriptor.hpp"
#include "base/encoding.hpp"
#include "base/units.hpp"
#include "results/run_folder.hpp"
#include "rules/rule.hpp"

namespace mlps::reports {
namespace {

namespace fs = std::filesystem;
using rules::joined;

constexpr size_t kTarBlock = 512;
constexpr size_t kPieceBytes = kMiB;
constexpr size_t kMostNameBytes = 100;  // of the head of a tar member; longer ones have a pax head before it

// ---- files

void add_files(const rules::Tree& tree, const std::string& folder, std::vector<PackedFile>& files,
               rules::Problems& problems) {
  std::error_code failed;
  for (const rules::Entry& entry : tree.list(folder, problems)) {
    const std::string path = joined(folder, entry.name);
    const fs::file_status status = fs::symlink_status(tree.absolute(path), failed);
    if (fs::is_directory(status)) {
      add_files(tree, path, files, problems);
    } else if (fs::is_regular_file(status)) {
      files.push_back({path, fs::file_size(tree.absolute(path), failed), {}});
    } else {
      problems.push_back({path, "is no file, or a link: left out"});
    }
  }
}

// The names of the code images that runs of closed and open point to.
std::set<std::string> used_images(const std::vector<PackedFile>& files, const rules::Tree& tree) {
  std::set<std::string> used;
  rules::Problems ignored;
  for (const PackedFile& file : files) {
    if (!file.path.ends_with("/.mlps-code-image")) continue;
    const std::string pointer = tree.text(file.path, ignored);
    if (const size_t colon = pointer.find(':'); colon != std::string::npos) {
      used.insert("code-" + pointer.substr(colon + 1, 8));
    }
  }
  return used;
}

void add_images(const rules::Tree& tree, const std::string& pool, const std::set<std::string>& used,
                std::vector<PackedFile>& files, rules::Problems& problems) {
  if (!tree.has(pool + "/.mlps-image-pool")) return;
  const size_t before = files.size();
  for (const std::string& name : tree.folders(pool, problems)) {
    if (used.contains(name)) add_files(tree, joined(pool, name), files, problems);
  }
  if (files.size() == before) return;
  std::error_code failed;
  const std::string marker = pool + "/.mlps-image-pool";
  files.push_back({marker, fs::file_size(tree.absolute(marker), failed), {}});
}

// ---- digests

class Digest {
 public:
  Digest() : state_(::EVP_MD_CTX_new(), &::EVP_MD_CTX_free) {
    ::EVP_DigestInit_ex(state_.get(), ::EVP_sha256(), nullptr);
  }
  void add(std::string_view bytes) { ::EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()); }
  std::string text() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    ::EVP_DigestFinal_ex(state_.get(), bytes.data(), &size);
    return hex(std::as_bytes(std::span(bytes.data(), size)));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> state_;
};

// ---- tar, gzip

std::string padded(std::string text) {
  text.resize((text.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  return text;
}

// The head of a member of a POSIX tar archive. A number too large for its field stands in a pax head alone.
std::string tar_head(const std::string& name, uint64_t bytes, int64_t seconds, char kind) {
  std::string head(kTarBlock, '\0');
  const auto put = [&](size_t at, std::string_view text) { std::memcpy(head.data() + at, text.data(), text.size()); };
  put(0, std::string_view(name).substr(0, kMostNameBytes));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", bytes & 077777777777));
  put(136, fmt::format("{:011o}", static_cast<uint64_t>(seconds) & 077777777777));
  put(148, "        ");
  head[156] = kind;
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  return head;
}

// A line of a pax head: its length, which counts itself, then key and value.
std::string pax_line(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string member_head(const std::string& path, uint64_t bytes, int64_t seconds) {
  constexpr uint64_t kMostPlainBytes = 077777777777;
  std::string more;
  if (path.size() > kMostNameBytes) more += pax_line("path", path);
  if (bytes > kMostPlainBytes) more += pax_line("size", std::to_string(bytes));
  const std::string head = tar_head(path, bytes, seconds, '0');
  return more.empty() ? head : tar_head("pax", more.size(), seconds, 'x') + padded(more) + head;
}

// Compresses what it is given, and passes it on.
class Gzip {
 public:
  explicit Gzip(const results::Sink& sink) : sink_(sink), level_(ISAL_DEF_LVL1_DEFAULT), out_(kPieceBytes, '\0') {
    ::isal_deflate_init(&stream_);
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.level = 1;
    stream_.level_buf = level_.data();
    stream_.level_buf_size = static_cast<uint32_t>(level_.size());
  }
  Status add(std::string_view bytes, bool is_last = false) {
    std::string input(bytes);  // the library wants it writable
    stream_.next_in = reinterpret_cast<uint8_t*>(input.data());
    stream_.avail_in = static_cast<uint32_t>(input.size());
    stream_.end_of_stream = is_last ? 1 : 0;
    do {
      stream_.next_out = reinterpret_cast<uint8_t*>(out_.data());
      stream_.avail_out = static_cast<uint32_t>(out_.size());
      ::isal_deflate(&stream_);
      const std::string_view made = std::string_view(out_).substr(0, out_.size() - stream_.avail_out);
      digest_.add(made);
      if (Status written = sink_(made); !written) return written;
    } while (stream_.avail_out == 0);
    return {};
  }
  std::string digest() { return digest_.text(); }

 private:
  const results::Sink& sink_;
  std::vector<uint8_t> level_;
  std::string out_;
  isal_zstream stream_{};
  Digest digest_;
};

Status add_member(const rules::Tree& tree, PackedFile& file, Gzip& archive) {
  const Descriptor from(::open(tree.absolute(file.path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found {};
  if (!from.is_open() || ::fstat(from.get(), &found) != 0) return fail(errno_error(errno, "read " + file.path));
  file.bytes = static_cast<uint64_t>(found.st_size);
  if (Status head = archive.add(member_head(file.path, file.bytes, found.st_mtime)); !head) return head;
  Digest digest;
  std::string piece(kPieceBytes, '\0');
  uint64_t left = file.bytes;
  while (left > 0) {
    const ssize_t got = ::read(from.get(), piece.data(), std::min<uint64_t>(left, piece.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "read " + file.path));
    if (got == 0) return fail(ErrorCode::kDataMismatch, file.path + " was cut while it was packed");
    const std::string_view bytes = std::string_view(piece).substr(0, static_cast<size_t>(got));
    digest.add(bytes);
    if (Status added = archive.add(bytes); !added) return added;
    left -= bytes.size();
  }
  file.sha256 = digest.text();
  return archive.add(std::string((kTarBlock - file.bytes % kTarBlock) % kTarBlock, '\0'));
}

}  // namespace

std::vector<PackedFile> files_to_pack(const rules::Tree& tree, rules::Problems& problems) {
  std::vector<PackedFile> files;
  for (const char* division : {"closed", "open"}) add_files(tree, division, files, problems);
  const std::set<std::string> used = used_images(files, tree);
  for (const std::string& pool : tree.folders("", problems)) {
    if (pool != "closed" && pool != "open" && pool != "whatif") add_images(tree, pool, used, files, problems);
  }
  for (const char* name : {"public_ids.json", "results.csv", "results.json"}) {
    std::error_code failed;
    if (tree.has(name)) files.push_back({name, fs::file_size(tree.absolute(name), failed), {}});
  }
  std::sort(files.begin(), files.end(), [](const auto& one, const auto& other) { return one.path < other.path; });
  return files;
}

Result<std::string> write_archive(const rules::Tree& tree, std::vector<PackedFile>& files, const std::string& path) {
  std::string digest;
  const Status written = results::write_file_piecewise(path, [&](const results::Sink& sink) -> Status {
    Gzip archive(sink);
    for (PackedFile& file : files) {
      if (Status added = add_member(tree, file, archive); !added) return added;
    }
    if (Status ended = archive.add(std::string(2 * kTarBlock, '\0'), true); !ended) return ended;
    digest = archive.digest();
    return {};
  });
  return written ? Result<std::string>(digest) : fail(written.error());
}

}  // namespace mlps::reports
