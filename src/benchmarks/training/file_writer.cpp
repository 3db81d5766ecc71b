#include "benchmarks/training/file_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "base/waiting.hpp"
#include "io/io_thread.hpp"

namespace mlps::training {
namespace {

using storage::Operation;
using storage::OpKind;

// One old file holds all others up: this is rare and ends by itself, so looking now and then is enough.
constexpr Nanos kFullWindowPause = 1'000'000;

}  // namespace

std::optional<uint64_t> TextContent::first_mismatch(uint64_t offset, std::span<const std::byte> data) const {
  const auto expected = std::as_bytes(std::span(text_)).subspan(offset, data.size());
  const auto [wrong, unused] = std::mismatch(data.begin(), data.end(), expected.begin());
  if (wrong == data.end()) return std::nullopt;
  return offset + static_cast<uint64_t>(wrong - data.begin());
}

FileWriter::FileWriter(WriteJob& job)
    : TaskSource(job.failure), job_(job), files_(job.plan.depth), carried_(job.plan.depth, nullptr) {
  for (File& file : files_) idle_.push_back(&file);
}

bool FileWriter::next(io::Slot& slot, size_t more_free) {
  while (!movable_.empty() && !movable_.front()->has_parts()) movable_.erase(movable_.begin());
  if (!movable_.empty()) {
    start_part(*movable_.front(), slot);
    return true;
  }
  // Files that are being opened will bring parts for the free slots: opening more would only spread the parts over
  // more files.
  if (exhausted_ || arriving_parts_ > more_free) return false;
  uint64_t position = 0;
  const auto claim = job_.window.claim(position);
  exhausted_ = claim == CommitWindow::Claim::kNone;
  if (claim != CommitWindow::Claim::kIndex) return false;
  take_file(position, slot);
  return open(slot);
}

void FileWriter::wait(EventCount::Key /*key*/) {
  sleep_for(kFullWindowPause);
}

void FileWriter::take_file(uint64_t position, io::Slot& slot) {
  File& file = *idle_.back();
  idle_.pop_back();
  const uint64_t index = job_.share.file(position);
  const bool is_train = index < job_.train.files();
  file.position = position;
  file.index = index;
  file.set = is_train ? &job_.train : &job_.eval;
  file.number = is_train ? index : index - job_.train.files();
  file.data = file.set->content(file.number);
  file.is_index_file = file.was_written = false;
  file.was_there = job_.share.is_damaged(position);
  file.may_be_there = !file.was_there && job_.presence.active();
  carried_[slot.index()] = &file;
}

/// Begins the data, or the index file, in the way it needs.
bool FileWriter::open(io::Slot& slot) {
  File& file = file_of(slot);
  const uint64_t size = file.is_index_file ? file.text.text().size() : file.set->file_bytes(file.number);
  return begin_object(slot, file.may_be_there && size > 0);
}

bool FileWriter::begin_object(io::Slot& slot, bool reading) {
  File& file = file_of(slot);
  storage::ObjectSpec spec;
  spec.name = file.is_index_file ? file.set->index_name(file.number) : file.set->name(file.number);
  spec.size_bytes = file.is_index_file ? file.text.text().size() : file.set->file_bytes(file.number);
  spec.part_bytes = job_.plan.part_bytes;
  if (reading && job_.verify)
    static_cast<void>(job_.store.evict(spec.name));  // one that is absent can't be read either
  spec.content = file.is_index_file ? static_cast<const payload::Content*>(&file.text) : &file.data;
  file.object = job_.store.object(std::move(spec));
  file.reading = reading;
  file.moving = false;
  file.equal = true;
  file.next_part = 0;
  if (file.object->part_length(0) > slot.buffer.size()) {
    io::raise(
        failure_,
        {ErrorCode::kInternal, fmt::format("{}: a part of {} bytes doesn't fit buffers of {}", file.object->name(),
                                           grouped(file.object->part_length(0)), grouped(slot.buffer.size()))},
        place(slot));
    return false;
  }
  if (!reading && !file.is_index_file) file.was_written = true;
  arriving_parts_ += file.object->part_count();
  put(slot, reading ? OpKind::kBeginRead : OpKind::kBeginWrite);
  return true;
}

void FileWriter::start_part(File& file, io::Slot& slot) {
  Operation& operation = slot.operation;
  const storage::Object& object = *file.object;
  carried_[slot.index()] = &file;
  operation.part = file.next_part++;
  slot.use_buffer(object.part_length(operation.part));
  // A range, not a part: what is not whole is not read to its end.
  operation.range_offset = object.part_offset(operation.part);
  operation.range_bytes = operation.buffer.size();
  put(slot, file.reading ? OpKind::kReadRange : OpKind::kWritePart);
}

void FileWriter::put(io::Slot& slot, OpKind kind) {
  File& file = file_of(slot);
  slot.operation.kind = kind;
  slot.operation.object = file.object.get();
  ++file.in_flight;
}

bool FileWriter::counts(const io::Slot& slot) const {
  const File& file = file_of(slot);
  return !file.reading && !file.is_index_file;
}

bool FileWriter::done(io::Slot& slot) {
  File& file = file_of(slot);
  if (slot.operation.reads_body() && !file.is_index_file) file.was_there = true;
  return completed(slot);
}

bool FileWriter::failed(io::Slot& slot) {
  if (not_whole(slot)) return completed(slot);
  --file_of(slot).in_flight;
  return TaskSource::failed(slot);
}

bool FileWriter::accepts_mismatch(io::Slot& slot, uint64_t /*wrong*/) {
  file_of(slot).equal = false;
  return true;
}

/// Returns whether `slot`'s error only means that the object being read is absent or incomplete, and notes it.
bool FileWriter::not_whole(const io::Slot& slot) {
  const Operation& operation = slot.operation;
  File& file = file_of(slot);
  if (!file.reading || operation.kind == OpKind::kEndRead) return false;
  const bool absent = operation.error->code == ErrorCode::kStorageNotFound;
  if (!absent && operation.error->code != ErrorCode::kDataMismatch) return false;
  file.equal = false;
  if (file.is_index_file) return true;
  // Parts of one file may come back differently while somebody removes it; one that was seen was there.
  file.was_there = file.was_there || !absent;
  return true;
}

/// The slot's operation has succeeded, or failed in a way that not_whole() accepts.
bool FileWriter::completed(io::Slot& slot) {
  File& file = file_of(slot);
  --file.in_flight;
  switch (slot.operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      arriving_parts_ -= file.object->part_count();
      if (slot.operation.error) return object_done(slot);
      file.moving = true;
      movable_.push_back(&file);
      return false;
    case OpKind::kWritePart:
    case OpKind::kReadRange:
      return part_done(slot);
    default:
      return object_done(slot);
  }
}

bool FileWriter::part_done(io::Slot& slot) {
  File& file = file_of(slot);
  if (file.in_flight > 0 || file.has_parts() || failure_.raised()) return false;
  file.moving = false;
  put(slot, file.reading ? OpKind::kEndRead : OpKind::kCommitWrite);
  return true;
}

/// An object is written, or read as far as was needed: goes on with its file.
bool FileWriter::object_done(io::Slot& slot) {
  File& file = file_of(slot);
  if (file.reading && !file.is_index_file) file.was_there ? job_.presence.found() : job_.presence.absent();
  const bool to_be_written = file.reading && !file.equal;
  const bool index_is_next = job_.index_files && !file.is_index_file;
  if (!to_be_written && !index_is_next) {
    file_done(file);
    return false;
  }
  if (failure_.raised()) {
    file.object.reset();  // what is whole must not be aborted
    return false;
  }
  if (to_be_written) return begin_object(slot, false);
  file.is_index_file = true;
  file.text = TextContent(file.set->format().index_text(file.set->shape(file.number)).value_or(""));
  return open(slot);
}

void FileWriter::file_done(File& file) {
  const uint64_t bytes = file.set->file_bytes(file.number);
  if (file.was_written) {
    ++numbers_.files_written;
    if (file.was_there) ++numbers_.files_repaired;
    numbers_.bytes_planned += bytes;
  } else {
    ++numbers_.files_kept;
    numbers_.bytes_kept += bytes;
    live_kept_bytes_.store(numbers_.bytes_kept, std::memory_order_relaxed);
  }
  live_files_.store(numbers_.files_written + numbers_.files_kept, std::memory_order_relaxed);
  file.object.reset();
  job_.window.complete(file.position);
  idle_.push_back(&file);
}

void FileWriter::clean_up(io::IoThread& thread, bool failed) {
  if (!failed) return;
  for (const File& file : files_) {
    if (file.object && !file.reading) thread.abort(*file.object);
  }
}

io::Place FileWriter::place(const io::Slot& slot) const {
  return {fmt::format("file {} of {}", grouped(file_of(slot).index + 1), grouped(job_.share.end())), {}};
}

}  // namespace mlps::training
