#include "benchmarks/vectordb/object_reads.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "base/clock.hpp"

namespace mlps::vectordb {
namespace {

constexpr std::chrono::milliseconds kReadPoll{100};

}  // namespace

Status ObjectReads::read(std::span<const Range> ranges, QueryCost& cost) {
  const Nanos begin = now_ns();
  operations_.resize(ranges.size());
  size_t done = 0;
  for (size_t i = 0; i < ranges.size(); ++i) {
    operations_[i] = {.kind = storage::OpKind::kReadRange,
                      .object = object_,
                      .buffer = {ranges[i].to, ranges[i].bytes},
                      .range_offset = ranges[i].offset,
                      .range_bytes = ranges[i].bytes};
    session_->submit(operations_[i]);
    cost.bytes += ranges[i].bytes;
    if (blocking_ || i + 1 - done == kDepth) done += collect(1);
  }
  while (done < ranges.size()) done += collect(1);
  cost.wait_ns += now_ns() - begin;
  cost.reads += ranges.size();
  ++cost.rounds;
  for (const auto& operation : operations_) {
    if (operation.error) return fail(*operation.error);
    if (operation.bytes == operation.range_bytes) continue;
    return fail(ErrorCode::kDataMismatch, fmt::format("read of {} at offset {} brought {} of {} bytes", object_->name(),
                                                      operation.range_offset, operation.bytes, operation.range_bytes));
  }
  return {};
}

size_t ObjectReads::collect(size_t least) {
  done_.clear();
  while (done_.size() < least) session_->poll(kReadPoll, done_);
  return done_.size();
}

ReadableObject::ReadableObject(ObjectFiles& files, std::string_view name, uint64_t size, uint64_t unit)
    : store_(files.store()),
      unit_(unit),
      object_(store_.object({.name = files.path(name), .size_bytes = size, .part_bytes = unit})) {}

ReadableObject::~ReadableObject() {
  if (!keeper_) return;
  storage::Operation end{.kind = storage::OpKind::kEndRead, .object = object_.get()};
  keeper_->submit(end);
  (void)finish_operation(*keeper_, end);  // nothing can be done about it
}

Status ReadableObject::open() {
  if (store_.traits().buffer_alignment > unit_) {
    return fail(ErrorCode::kConfigIncompatible,
                fmt::format("{} reads in units of {} bytes; indexes are read in units of {}", store_.root().to_string(),
                            store_.traits().buffer_alignment, unit_));
  }
  auto session = store_.open_session(1);
  if (!session) return fail(session.error());
  const auto info = (*session)->head(object_->name());
  if (!info) return fail(info.error());
  if (info->size_bytes != object_->size_bytes()) {
    return fail(ErrorCode::kDataMismatch,
                fmt::format("{} has {} bytes, where its index has {}", object_->name(), info->size_bytes,
                            object_->size_bytes()),
                {}, "build the index again");
  }
  storage::Operation begin{.kind = storage::OpKind::kBeginRead, .object = object_.get()};
  (*session)->submit(begin);
  if (auto begun = finish_operation(**session, begin); !begun) return begun;
  keeper_ = std::move(*session);
  return {};
}

Result<std::unique_ptr<ObjectReads>> ReadableObject::open_reads() {
  auto session = store_.open_session(ObjectReads::kDepth);
  if (!session) return fail(session.error());
  return std::make_unique<ObjectReads>(*object_, std::move(*session), store_.traits().blocking);
}

}  // namespace mlps::vectordb
