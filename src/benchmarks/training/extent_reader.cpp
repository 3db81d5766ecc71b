#include "benchmarks/training/extent_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/io_thread.hpp"

namespace mlps::training {
namespace {

using storage::Operation;
using storage::OpKind;

/// Small reads are claimed a few at a time, so that claiming costs little; few enough to leave some to other threads.
constexpr size_t kClaimAtOnce = 4;

}  // namespace

ExtentReader::ExtentReader(uint32_t index, const ReadPlan& plan, bool verify, storage::Store& store,
                           PrefetchQueue& queue, world::Failure& failure)
    : TaskSource(failure),
      plan_(plan),
      verify_(verify),
      store_(store),
      traits_(store.traits()),
      queue_(queue),
      carried_(plan.depth),
      jobs_(plan.depth),
      cached_(queue.size(), nullptr),
      next_rank_(static_cast<uint32_t>(uint64_t{index} * queue.size() / plan.workers)) {
  for (Job& job : jobs_) free_jobs_.push_back(&job);
}

bool ExtentReader::next(io::Slot& slot, size_t more_free) {
  for (;;) {
    if (!open_close_queue_.empty()) {
      open_or_close(slot);
      return true;
    }
    if (readable_next_ < readable_.size()) {
      Job& job = *readable_[readable_next_];
      read_on(slot, job);
      if (job.next == job.end) ++readable_next_;
      return true;
    }
    readable_.clear();
    readable_next_ = 0;
    const size_t most = std::min({more_free + 1, free_jobs_.size(), kClaimAtOnce});
    if (most == 0 || !claim(static_cast<uint32_t>(most))) return false;
  }
}

bool ExtentReader::claim(uint32_t most) {
  for (uint32_t tries = queue_.size(); tries > 0; --tries) {
    const uint32_t rank = next_rank_;
    next_rank_ = rank + 1 == queue_.size() ? 0 : rank + 1;
    const PrefetchQueue::Claim claimed = queue_.claim(rank, most);
    for (uint32_t i = 0; i < claimed.count; ++i) start(rank, *claimed.pass, claimed.first + i);
    if (claimed.count != 0) return true;
  }
  return false;
}

void ExtentReader::start(uint32_t rank, const Pass& pass, uint64_t ticket) {
  const uint64_t per_file = pass.extents.extents_per_file();
  const uint64_t index = pass.order.file(queue_.first_rank() + rank, ticket / per_file);
  OpenFile& file = file_of(rank, index, pass);
  auto place = static_cast<uint32_t>(ticket % per_file);
  if (pass.sample_key) place = pass.extents.shuffled(place, *pass.sample_key + index);
  const formats::Extent extent = pass.dataset->extent(index, place, file.spec.size_bytes);

  Job& job = *free_jobs_.back();
  free_jobs_.pop_back();
  const uint64_t alignment = traits_.buffer_alignment;
  job.file = &file;
  job.ticket = ticket;
  job.next = extent.offset / alignment * alignment;
  job.end = std::min((extent.offset + extent.bytes + alignment - 1) / alignment * alignment, file.object->size_bytes());
  job.reads_left = 0;
  job.started_ns = 0;
  ++file.users;
  if (file.state == OpenFile::State::kOpen) {
    readable_.push_back(&job);
  } else {
    file.waiting.push_back(&job);
    if (file.state == OpenFile::State::kNew && file.users == 1) open_close_queue_.push_back(&file);
  }
}

ExtentReader::OpenFile& ExtentReader::file_of(uint32_t rank, uint64_t index, const Pass& pass) {
  if (pass.extents.extents_per_file() == 1) return new_file(rank, index, pass);
  OpenFile*& cached = cached_[rank];
  if (cached != nullptr && cached->index == index && cached->pass == &pass) return *cached;
  if (cached != nullptr) {
    cached->cached = false;
    if (cached->users == 0) close(*cached);
  }
  cached = &new_file(rank, index, pass);
  cached->cached = true;
  return *cached;
}

ExtentReader::OpenFile& ExtentReader::new_file(uint32_t rank, uint64_t index, const Pass& pass) {
  if (free_files_.empty()) {
    files_.push_back(std::make_unique<OpenFile>());
    free_files_.push_back(files_.back().get());
  }
  OpenFile& file = *free_files_.back();
  free_files_.pop_back();
  file.state = traits_.reads_need_open ? OpenFile::State::kNew : OpenFile::State::kOpen;
  file.cached = false;
  file.rank = rank;
  file.users = 0;
  file.pass = &pass;
  file.index = index;
  const Dataset& dataset = *pass.dataset;
  file.spec.name.clear();
  dataset.append_name(index, file.spec.name);
  file.spec.size_bytes = dataset.file_bytes(index);
  file.spec.part_bytes = plan_.part_bytes;
  file.spec.content = nullptr;
  if (verify_) {
    file.content = dataset.content(index);
    file.spec.content = &file.content;
  }
  store_.renew(file.object, file.spec);
  ++stats_.files_opened;
  return file;
}

void ExtentReader::close(OpenFile& file) {
  if (!traits_.reads_need_open) return recycle(file);
  file.state = OpenFile::State::kClosing;
  open_close_queue_.push_back(&file);
}

void ExtentReader::open_or_close(io::Slot& slot) {
  OpenFile& file = *open_close_queue_[open_close_next_++];
  if (open_close_next_ == open_close_queue_.size()) {
    open_close_queue_.clear();
    open_close_next_ = 0;
  }
  const bool opens = file.state == OpenFile::State::kNew;
  if (opens) file.state = OpenFile::State::kOpening;
  carried_[slot.index()] = {&file, nullptr};
  slot.operation.kind = opens ? OpKind::kBeginRead : OpKind::kEndRead;
  slot.operation.object = file.object.get();
}

void ExtentReader::recycle(OpenFile& file) {
  file.state = OpenFile::State::kUnused;
  free_files_.push_back(&file);
}

void ExtentReader::read_on(io::Slot& slot, Job& job) {
  Operation& operation = slot.operation;
  carried_[slot.index()] = {job.file, &job};
  operation.kind = OpKind::kReadRange;
  operation.object = job.file->object.get();
  operation.range_offset = job.next;
  operation.range_bytes = std::min(job.end - job.next, plan_.part_bytes);
  slot.use_buffer(operation.range_bytes);
  job.next += operation.range_bytes;
  ++job.reads_left;
}

bool ExtentReader::failed(io::Slot& slot) {
  // A file that was never opened needs no closing.
  if (slot.operation.kind == OpKind::kBeginRead) carried_[slot.index()].file->state = OpenFile::State::kNew;
  return TaskSource::failed(slot);
}

bool ExtentReader::done(io::Slot& slot) {
  OpenFile& file = *carried_[slot.index()].file;
  switch (slot.operation.kind) {
    case OpKind::kBeginRead:
      file.state = OpenFile::State::kOpen;
      readable_.insert(readable_.end(), file.waiting.begin(), file.waiting.end());
      file.waiting.clear();
      return false;
    case OpKind::kEndRead:
      recycle(file);
      return false;
    default:
      read_done(slot.operation, *carried_[slot.index()].job);
      return false;
  }
}

void ExtentReader::read_done(const Operation& operation, Job& job) {
  --job.reads_left;
  if (job.started_ns == 0 || operation.submitted_ns < job.started_ns) job.started_ns = operation.submitted_ns;
  if (job.reads_left != 0 || job.next != job.end) return;
  OpenFile& file = *job.file;
  if (traits_.holds_objects || operation.completed_ns != operation.submitted_ns) {
    stats_.extent_ns.record(static_cast<uint64_t>(operation.completed_ns - job.started_ns));
  }
  ++stats_.extents;
  if (queue_.stream(file.rank).complete(job.ticket)) queue_.publish_ready(file.rank);
  free_jobs_.push_back(&job);
  if (--file.users == 0 && !file.cached) close(file);
}

io::Place ExtentReader::place(const io::Slot& slot) const {
  const OpenFile& file = *carried_[slot.index()].file;
  const uint32_t rank = queue_.first_rank() + file.rank;
  return {fmt::format("accelerator {}, epoch {}, file {} of {}", rank, file.pass->epoch, file.index,
                      file.pass->dataset->files()),
          rank};
}

std::string ExtentReader::mismatch_hint() const {
  return "the storage returned other bytes than it was given, or the data set is of another seed or shape; generate it "
         "again";
}

/// At the end, and after a failure: every file that is open is closed, whatever job still waited for it.
void ExtentReader::clean_up(io::IoThread& thread, bool /*failed*/) {
  for (const auto& file : files_) {
    const bool is_open = file->state == OpenFile::State::kOpen || file->state == OpenFile::State::kClosing;
    if (!is_open) continue;
    if (traits_.reads_need_open) {
      Operation operation;
      operation.kind = OpKind::kEndRead;
      operation.object = file->object.get();
      thread.run(operation);
    }
    file->state = OpenFile::State::kUnused;
  }
}

Result<std::unique_ptr<Readers>> Readers::start(const ReadPlan& plan, bool verify, storage::Store& store,
                                                PrefetchQueue& queue, world::Failure& failure,
                                                io::SharedSeries& series) {
  std::unique_ptr<Readers> readers(new Readers(queue));
  for (uint32_t i = 0; i < plan.workers; ++i) {
    readers->readers_.push_back(std::make_unique<ExtentReader>(i, plan, verify, store, queue, failure));
  }
  auto threads = io::IoThreadPool::start(plan, verify, store, failure, io::pointers(readers->readers_), &series);
  if (!threads) return fail(std::move(threads.error()));
  readers->threads_ = std::move(*threads);
  readers->on_raise_ = failure.on_raise([&queue] { queue.wake_all(); });
  readers->threads_->begin();
  return readers;
}

Readers::~Readers() {
  if (threads_) stop();
}

void Readers::stop() {
  queue_.close();
  threads_->stop();
  on_raise_ = {};
}

void Readers::merge_into(ReadStats& stats) const {
  for (const auto& reader : readers_) merge(stats, reader->numbers());
}

}  // namespace mlps::training
