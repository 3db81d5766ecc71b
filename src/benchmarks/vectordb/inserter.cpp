#include "benchmarks/vectordb/inserter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::vectordb {
namespace {

constexpr Nanos kFlushNs = 1'000'000'000;
constexpr double kNanos = 1e9;

}  // namespace

Inserter::Inserter(SearchEngine& engine, const VectorSource& source, uint64_t first_key, double rate, uint32_t batch,
                   bool flushes, world::Failure& failure)
    : engine_(engine),
      source_(source),
      rate_(rate),
      flushes_(flushes),
      failure_(failure),
      block_(source.dimension(), batch),
      sent_end_(first_key),
      end_(first_key) {}

Status Inserter::open(uint32_t window) {
  window_ = {};
  window_.window = window;
  window_.first = end_;
  begin_ns_ = flushed_ns_ = now_ns();
  thread_ = std::make_unique<PeriodicThread>();
  const ThreadPurpose purpose{.name = "inserter",
                              .on_error = [this](Error error) { failure_.raise(std::move(error)); }};
  return thread_->start(
      purpose, [this] { return next_due(); }, [this] { insert_batch(); });
}

Nanos Inserter::next_due() {
  due_ns_ = begin_ns_ + static_cast<Nanos>(static_cast<double>(end_ - window_.first) / rate_ * kNanos);
  return due_ns_;
}

void Inserter::insert_batch() {
  if (failure_.raised()) return;
  if (end_ + block_.rows() > source_.rows()) {
    return failure_.raise(Error{ErrorCode::kConfigIncompatible,
                                fmt::format("--insert-rate: all {} vectors of the file are inserted", source_.rows()),
                                {},
                                "load fewer of them with --num-vectors, or insert fewer"});
  }
  if (Status made = source_.read(end_, block_.values); !made) return failure_.raise(made.error());
  const Nanos sent = now_ns();
  sent_end_ = end_ + block_.rows();
  if (Status stored = engine_.insert(end_, block_.view()); !stored) return failure_.raise(stored.error());
  const Nanos now = now_ns();
  end_ = sent_end_;
  window_.inserted += block_.rows();
  window_.insert.record(static_cast<uint64_t>(now - sent));
  window_.lateness.record(static_cast<uint64_t>(std::max<Nanos>(0, sent - due_ns_)));
  if (!flushes_ || now < flushed_ns_ + kFlushNs) return;
  if (Status flushed = flush(); !flushed) failure_.raise(flushed.error());
}

Status Inserter::flush() {
  const Nanos begin = now_ns();
  if (Status flushed = engine_.flush(); !flushed) return flushed;
  flushed_ns_ = now_ns();
  window_.flush.record(static_cast<uint64_t>(flushed_ns_ - begin));
  return {};
}

InsertWindow Inserter::close() {
  thread_.reset();
  window_.seconds = to_seconds(now_ns() - begin_ns_);
  if (window_.inserted > 0 && !failure_.raised()) {
    if (Status flushed = flush(); !flushed) failure_.raise(flushed.error());
  }
  return std::move(window_);
}

}  // namespace mlps::vectordb
