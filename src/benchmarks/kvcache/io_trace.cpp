#include "benchmarks/kvcache/io_trace.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <iterator>

#include "base/clock.hpp"
#include "base/write_all.hpp"

namespace mlps::kvcache {
namespace {

constexpr size_t kPiece = 64 << 10;
constexpr int kReadable = 0644;

/// What mlpstorage 3.0 calls the moment of a request: its own entry is written in the prefill and read in the decoding.
std::string_view phase_of(const EntryOp& op) {
  if (op.demotion) return "Evict";
  return op.writes ? "Prefill" : "Decode";
}

}  // namespace

Result<std::unique_ptr<IoTrace>> IoTrace::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kReadable));
  if (!file.is_open()) return fail(errno_error(errno, fmt::format("create --io-trace {}", path)));
  std::unique_ptr<IoTrace> trace(new IoTrace(path, std::move(file)));
  if (path.ends_with(".zst")) trace->packer_.emplace();
  trace->text_ = "Timestamp,Operation,Object_Size_Bytes,Tier,Key,Phase\n";
  return trace;
}

IoTrace::~IoTrace() {
  static_cast<void>(finish());
}

void IoTrace::add(uint32_t rank, const EntryOp& op) {
  const int64_t now_us = Stamp::now().wall_us;
  const std::lock_guard lock(mutex_);
  fmt::format_to(std::back_inserter(text_), "{}.{:06},{},{},Tier-{},rank_{}/{},{}\n", now_us / 1'000'000,
                 now_us % 1'000'000, op.writes ? "Write" : "Read", op.bytes, static_cast<int>(op.tier), rank, op.name,
                 phase_of(op));
  if (text_.size() >= kPiece) flush(false);
}

void IoTrace::flush(bool last) {
  if (packer_) {
    std::string packed;
    const auto then = last ? ZstdCompressor::Then::kEnd : ZstdCompressor::Then::kGoOn;
    if (status_) status_ = packer_->compress(text_, then, packed);
    text_ = std::move(packed);
  }
  if (status_) status_ = write_all(file_.get(), text_, fmt::format("write --io-trace {}", path_));
  text_.clear();
}

Status IoTrace::finish() {
  const std::lock_guard lock(mutex_);
  if (!finished_) flush(true);
  finished_ = true;
  return status_;
}

}  // namespace mlps::kvcache
