#include "benchmarks/training/generate_worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/units.hpp"

namespace mlps::training {
namespace {

using storage::Operation;
using storage::OpKind;

constexpr std::chrono::nanoseconds kPoll = std::chrono::milliseconds(100);
// One old file holds everybody up: this is rare and ends by itself, so looking now and then does.
constexpr Nanos kFullWindowPause = 1'000'000;

}  // namespace

std::optional<uint64_t> TextContent::first_mismatch(uint64_t offset, std::span<const std::byte> data) const {
  const auto expected = std::as_bytes(std::span(text_)).subspan(offset, data.size());
  const auto [wrong, unused] = std::mismatch(data.begin(), data.end(), expected.begin());
  if (wrong == data.end()) return std::nullopt;
  return offset + static_cast<uint64_t>(wrong - data.begin());
}

Result<std::unique_ptr<WriteWorker>> WriteWorker::create(WriteJob& job) {
  std::unique_ptr<WriteWorker> worker(new WriteWorker(job));
  const WritePlan& plan = job.plan;
  auto session = job.store.open_session(plan.depth);
  if (!session) return fail(session.error());
  worker->session_ = std::move(*session);
  auto slab = AlignedBuffer::allocate(plan.depth * plan.part_bytes);
  if (!slab) return fail(slab.error());
  worker->slab_ = std::move(*slab);
  worker->slots_.resize(plan.depth);
  worker->files_ = std::vector<File>(plan.depth);
  for (size_t i = 0; i < plan.depth; ++i) {
    Slot& slot = worker->slots_[i];
    slot.buffer = worker->slab_.span().subspan(i * plan.part_bytes, plan.part_bytes);
    slot.operation.tag = i;
    worker->free_.push_back(&slot);
    worker->idle_.push_back(&worker->files_[i]);
  }
  return worker;
}

void WriteWorker::charge(Nanos& bucket) {
  const Nanos now = now_ns();
  bucket += now - mark_;
  mark_ = now;
}

void WriteWorker::work() {
  mark_ = now_ns();
  for (;;) {
    while (!free_.empty() && !job_.failure.raised() && take()) {
    }
    charge(numbers_.stats.times.other_ns);
    if (in_flight_ == 0) {
      if (exhausted_ || job_.failure.raised()) break;
      sleep_for(kFullWindowPause);
      charge(numbers_.stats.times.wait_ns);
      continue;
    }
    completed_.clear();
    session_->poll(kPoll, completed_);
    charge(numbers_.stats.times.wait_ns);
    for (Operation* operation : completed_) finish(slots_[operation->tag]);
  }
  if (job_.failure.raised()) abort_open();
}

bool WriteWorker::take() {
  while (!movable_.empty() && !movable_.front()->has_parts()) movable_.erase(movable_.begin());
  if (!movable_.empty()) {
    Slot& slot = *free_.back();
    free_.pop_back();
    start_part(*movable_.front(), slot);
    return true;
  }
  // Files that are being opened will bring parts for the free slots: opening more would only spread the parts over
  // more files.
  if (exhausted_ || arriving_parts_ >= free_.size()) return false;
  uint64_t position = 0;
  const auto claim = job_.window.claim(position);
  exhausted_ = claim == CommitWindow::Claim::kNone;
  if (claim != CommitWindow::Claim::kIndex) return false;
  Slot& slot = *free_.back();
  free_.pop_back();
  take_file(position, slot);
  return true;
}

void WriteWorker::take_file(uint64_t position, Slot& slot) {
  File& file = *idle_.back();
  idle_.pop_back();
  const uint64_t index = job_.share.file(position);
  const bool is_train = index < job_.train.files();
  file.position = position;
  file.index = index;
  file.set = is_train ? &job_.train : &job_.eval;
  file.number = is_train ? index : index - job_.train.files();
  file.data = file.set->content(file.number);
  file.is_index_file = file.was_there = file.was_written = false;
  file.probing = job_.probe.active();
  slot.file = &file;
  open(slot);
}

/// Begins the data, or the index file, in the way it needs.
void WriteWorker::open(Slot& slot) {
  File& file = *slot.file;
  const uint64_t size = file.is_index_file ? file.text.text().size() : file.set->file_bytes(file.number);
  begin(slot, file.probing && size > 0);
}

void WriteWorker::begin(Slot& slot, bool reading) {
  File& file = *slot.file;
  storage::ObjectSpec spec;
  spec.name = file.is_index_file ? file.set->index_name(file.number) : file.set->name(file.number);
  spec.size_bytes = file.is_index_file ? file.text.text().size() : file.set->file_bytes(file.number);
  spec.part_bytes = job_.plan.part_bytes;
  spec.content = file.is_index_file ? static_cast<const payload::Content*>(&file.text) : &file.data;
  file.object = job_.store.object(std::move(spec));
  file.reading = reading;
  file.moving = false;
  file.equal = true;
  file.next_part = 0;
  if (file.object->part_length(0) > slot.buffer.size()) {
    return raise(slot, {ErrorCode::kInternal,
                        fmt::format("{}: a part of {} bytes doesn't fit buffers of {}", file.object->name(),
                                    grouped(file.object->part_length(0)), grouped(slot.buffer.size()))});
  }
  if (!reading && !file.is_index_file) file.was_written = true;
  arriving_parts_ += file.object->part_count();
  submit(slot, reading ? OpKind::kBeginRead : OpKind::kBeginWrite);
}

void WriteWorker::start_part(File& file, Slot& slot) {
  Operation& operation = slot.operation;
  const storage::Object& object = *file.object;
  slot.file = &file;
  operation.part = file.next_part++;
  const uint64_t offset = object.part_offset(operation.part);
  operation.buffer = slot.buffer.first(object.part_length(operation.part));
  if (file.reading) {
    // A range, not a part: what is not whole is not read to its end.
    operation.range_offset = offset;
    operation.range_bytes = operation.buffer.size();
    return submit(slot, OpKind::kReadRange);
  }
  charge(numbers_.stats.times.other_ns);
  object.fill(offset, operation.buffer);
  charge(numbers_.stats.times.prepare_ns);
  if (numbers_.first_part_ns == 0) numbers_.first_part_ns = mark_;
  submit(slot, OpKind::kWritePart);
}

void WriteWorker::submit(Slot& slot, OpKind kind) {
  Operation& operation = slot.operation;
  operation.kind = kind;
  operation.object = slot.file->object.get();
  if (!operation.writes_body() && !operation.reads_body()) operation.buffer = {};
  operation.error.reset();
  operation.bytes = operation.retried_bytes = 0;
  operation.attempts = 0;
  charge(numbers_.stats.times.other_ns);
  session_->submit(operation);
  ++in_flight_;
  ++slot.file->in_flight;
  charge(numbers_.stats.times.submit_ns);
}

void WriteWorker::count(const Slot& slot) {
  const Operation& operation = slot.operation;
  if (operation.attempts > 1) numbers_.stats.retries += operation.attempts - 1;
  numbers_.stats.retried_bytes += operation.retried_bytes;
  if (operation.error || slot.file->is_index_file) return;
  const auto latency = static_cast<uint64_t>(operation.completed_ns - operation.submitted_ns);
  if (operation.kind == OpKind::kCommitWrite) numbers_.stats.commit_ns.record(latency);
  if (operation.kind != OpKind::kWritePart) return;
  numbers_.stats.part_ns.record(latency);
  numbers_.stats.bytes += operation.bytes;
  live_bytes_.store(live_bytes_.load(std::memory_order_relaxed) + operation.bytes, std::memory_order_relaxed);
}

void WriteWorker::finish(Slot& slot) {
  --in_flight_;
  --slot.file->in_flight;
  count(slot);
  switch (slot.operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      return begun(slot);
    case OpKind::kWritePart:
    case OpKind::kReadRange:
      return part_done(slot);
    default:
      if (slot.operation.error) return raise(slot, *slot.operation.error);
      return object_done(slot);
  }
}

void WriteWorker::raise(Slot& slot, Error error) {
  const std::string where = fmt::format("file {} of {}", grouped(slot.file->index + 1), grouped(job_.share.end()));
  error.details = error.details.empty() ? where : where + "; " + error.details;
  job_.failure.raise(std::move(error));
  free_.push_back(&slot);
}

bool WriteWorker::not_whole(Slot& slot) {
  const Operation& operation = slot.operation;
  File& file = *slot.file;
  if (!file.reading || !operation.error) return false;
  const bool absent = operation.error->code == ErrorCode::kStorageNotFound;
  if (!absent && operation.error->code != ErrorCode::kDataMismatch) return false;
  file.equal = false;
  if (file.is_index_file) return true;
  // Parts of one file may come back differently while somebody removes it; one that was seen was there.
  file.was_there = file.was_there || !absent;
  return true;
}

void WriteWorker::begun(Slot& slot) {
  File& file = *slot.file;
  arriving_parts_ -= file.object->part_count();
  if (!slot.operation.error) {
    file.moving = true;
    movable_.push_back(&file);
    free_.push_back(&slot);
    return;
  }
  if (!not_whole(slot)) return raise(slot, *slot.operation.error);
  object_done(slot);
}

void WriteWorker::part_done(Slot& slot) {
  Operation& operation = slot.operation;
  File& file = *slot.file;
  const uint64_t length = file.object->part_length(operation.part);
  if (operation.error && !not_whole(slot)) return raise(slot, *operation.error);
  if (!operation.error && operation.bytes != length) {
    return raise(slot,
                 {ErrorCode::kDataMismatch, fmt::format("{}: part {} moved {} bytes instead of {}", file.object->name(),
                                                        operation.part, operation.bytes, length)});
  }
  if (file.reading && !operation.error) compare(slot);
  if (file.in_flight > 0 || file.has_parts() || job_.failure.raised()) {
    free_.push_back(&slot);
    return;
  }
  file.moving = false;
  submit(slot, file.reading ? OpKind::kEndRead : OpKind::kCommitWrite);
}

void WriteWorker::compare(Slot& slot) {
  File& file = *slot.file;
  if (!file.is_index_file) file.was_there = true;
  charge(numbers_.stats.times.other_ns);
  if (file.object->first_mismatch(slot.operation.range_offset, slot.operation.buffer)) file.equal = false;
  charge(numbers_.stats.times.prepare_ns);
}

/// An object is written, or read as far as was needed: what comes next of its file.
void WriteWorker::object_done(Slot& slot) {
  File& file = *slot.file;
  if (file.reading && !file.is_index_file) file.was_there ? job_.probe.found() : job_.probe.absent();
  const bool to_be_written = file.reading && !file.equal;
  const bool index_is_next = job_.index_files && !file.is_index_file;
  if (!to_be_written && !index_is_next) return file_done(slot);
  if (job_.failure.raised()) {
    file.object.reset();  // what is whole must not be aborted
    free_.push_back(&slot);
    return;
  }
  if (to_be_written) return begin(slot, false);
  file.is_index_file = true;
  file.text = TextContent(file.set->format().index_text(file.set->shape(file.number)).value_or(""));
  open(slot);
}

void WriteWorker::file_done(Slot& slot) {
  File& file = *slot.file;
  const uint64_t bytes = file.set->file_bytes(file.number);
  if (file.was_written) {
    ++numbers_.files_written;
    if (file.was_there) ++numbers_.files_repaired;
    numbers_.bytes_planned += bytes;
  } else {
    ++numbers_.files_kept;
    numbers_.bytes_kept += bytes;
    live_bytes_.store(live_bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
  live_files_.store(live_files_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  file.object.reset();
  job_.window.complete(file.position);
  idle_.push_back(&file);
  free_.push_back(&slot);
}

void WriteWorker::abort_open() {
  Operation operation;
  operation.kind = OpKind::kAbortWrite;
  for (File& file : files_) {
    if (!file.object || file.reading) continue;
    operation.object = file.object.get();
    operation.error.reset();
    session_->submit(operation);
    for (completed_.clear(); completed_.empty();) session_->poll(kPoll, completed_);
    if (operation.error)
      problems_.push_back(fmt::format("abort {}: {}", file.object->name(), operation.error->message));
  }
}

}  // namespace mlps::training
