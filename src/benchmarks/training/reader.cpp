#include "benchmarks/training/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"

namespace mlps::training {
namespace {

using storage::Operation;
using storage::OpKind;

// With free slots, new work may come at any time, so look for it again this soon; else only completions matter.
constexpr std::chrono::nanoseconds kShortPoll = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kLongPoll = std::chrono::milliseconds(100);
/// Small reads are claimed a few at a time, so that claiming costs little; few enough to leave some to other workers.
constexpr uint32_t kClaimAtOnce = 4;

}  // namespace

Reader::Reader(uint32_t index, const ReadPlan& plan, bool verify, storage::Store& store, Feed& feed,
               world::Failure& failure)
    : index_(index),
      plan_(plan),
      verify_(verify),
      store_(store),
      traits_(store.traits()),
      feed_(feed),
      adapting_(traits_.blocking && !feed.workers().is_fixed()),
      failure_(failure),
      slots_(plan.depth),
      jobs_(plan.depth),
      cached_(feed.size(), nullptr),
      next_rank_(static_cast<uint32_t>(uint64_t{index} * feed.size() / plan.workers)) {}

Result<std::unique_ptr<Reader>> Reader::create(uint32_t index, const ReadPlan& plan, bool verify, storage::Store& store,
                                               Feed& feed, world::Failure& failure) {
  std::unique_ptr<Reader> reader(new Reader(index, plan, verify, store, feed, failure));
  auto session = store.open_session(plan.depth);
  if (!session) return fail(std::move(session.error()));
  reader->session_ = std::move(*session);
  if (plan.buffers) {
    auto slab = AlignedBuffer::allocate(plan.depth * plan.part_bytes);
    if (!slab) return fail(std::move(slab.error()));
    reader->slab_ = std::move(*slab);
  }
  for (size_t i = 0; i < reader->slots_.size(); ++i) {
    Slot& slot = reader->slots_[i];
    slot.operation.tag = i;
    if (plan.buffers) slot.buffer = reader->slab_.span().subspan(i * plan.part_bytes, plan.part_bytes);
    reader->free_slots_.push_back(&slot);
    reader->free_jobs_.push_back(&reader->jobs_[i]);
  }
  return reader;
}

void Reader::charge(Nanos& bucket) {
  const Nanos now = now_ns();
  bucket += now - mark_;
  mark_ = now;
}

void Reader::work() {
  mark_ = now_ns();
  for (;;) {
    const uint32_t heard = feed_.work().prepare_wait();
    fill();
    charge(stats_.times.other_ns);
    stats_.times.other_ns -= in_submit_ns_;
    stats_.times.submit_ns += in_submit_ns_;
    in_submit_ns_ = 0;
    if (in_flight_ == 0) {
      if (feed_.closed() || failure_.raised()) break;
      wait_for_work(heard);
      if (adapting_) switches_ = voluntary_switches();
      charge(stats_.times.idle_ns);
      continue;
    }
    completed_.clear();
    session_->poll(free_slots_.empty() ? kLongPoll : kShortPoll, completed_);
    charge(stats_.times.wait_ns);
    for (Operation* operation : completed_) finish(slots_[operation->tag]);
  }
  close_cached();
}

void Reader::wait_for_work(uint32_t heard) {
  ActiveWorkers& workers = feed_.workers();
  if (workers.takes_part(index_)) return feed_.work().wait(heard);
  const uint32_t heard_there = workers.reserve().prepare_wait();
  if (workers.takes_part(index_) || feed_.closed() || failure_.raised()) return;
  workers.reserve().wait(heard_there);
}

void Reader::fill() {
  while (!free_slots_.empty() && !failure_.raised()) {
    if (!chores_.empty()) {
      do_chore();
      continue;
    }
    if (readable_next_ < readable_.size()) {
      Job& job = *readable_[readable_next_];
      submit_read(job);
      if (job.next == job.end) ++readable_next_;
      continue;
    }
    readable_.clear();
    readable_next_ = 0;
    if (free_jobs_.empty() || !feed_.workers().takes_part(index_) || !claim()) return;
  }
}

bool Reader::claim() {
  const auto most = static_cast<uint32_t>(std::min<size_t>({free_slots_.size(), free_jobs_.size(), kClaimAtOnce}));
  for (uint32_t tries = feed_.size(); tries > 0; --tries) {
    const uint32_t rank = next_rank_;
    next_rank_ = rank + 1 == feed_.size() ? 0 : rank + 1;
    const Stream::Claim claimed = feed_.stream(rank).claim(most);
    for (uint32_t i = 0; i < claimed.count; ++i) start(rank, claimed.first + i);
    if (claimed.count != 0) return true;
  }
  return false;
}

void Reader::start(uint32_t rank, uint64_t ticket) {
  const Pass& pass = feed_.pass();
  const uint64_t per_file = pass.extents.extents_per_file();
  const uint64_t index = pass.order.file(feed_.first_rank() + rank, ticket / per_file);
  OpenFile& file = file_of(rank, index, pass);
  auto place = static_cast<uint32_t>(ticket % per_file);
  if (pass.sample_key) place = pass.extents.shuffled(place, *pass.sample_key + index);
  const formats::Extent extent = pass.dataset->format().extent(pass.dataset->shape(index), place);

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
    if (file.state == OpenFile::State::kNew && file.users == 1) chores_.push_back(&file);
  }
}

Reader::OpenFile& Reader::file_of(uint32_t rank, uint64_t index, const Pass& pass) {
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

Reader::OpenFile& Reader::new_file(uint32_t rank, uint64_t index, const Pass& pass) {
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

void Reader::close(OpenFile& file) {
  if (!traits_.reads_need_open) return recycle(file);
  file.state = OpenFile::State::kClosing;
  chores_.push_back(&file);
}

void Reader::do_chore() {
  OpenFile& file = *chores_[chores_next_++];
  if (chores_next_ == chores_.size()) {
    chores_.clear();
    chores_next_ = 0;
  }
  const bool opens = file.state == OpenFile::State::kNew;
  if (opens) file.state = OpenFile::State::kOpening;
  Slot& slot = *free_slots_.back();
  free_slots_.pop_back();
  slot.file = &file;
  slot.job = nullptr;
  slot.operation.kind = opens ? OpKind::kBeginRead : OpKind::kEndRead;
  slot.operation.buffer = {};
  submit(slot);
}

void Reader::recycle(OpenFile& file) {
  file.state = OpenFile::State::kUnused;
  free_files_.push_back(&file);
}

void Reader::submit_read(Job& job) {
  Slot& slot = *free_slots_.back();
  free_slots_.pop_back();
  Operation& operation = slot.operation;
  slot.file = job.file;
  slot.job = &job;
  operation.kind = OpKind::kReadRange;
  operation.range_offset = job.next;
  operation.range_bytes = std::min(job.end - job.next, plan_.part_bytes);
  operation.buffer = slot.buffer.empty() ? std::span<std::byte>{} : slot.buffer.first(operation.range_bytes);
  job.next += operation.range_bytes;
  ++job.reads_left;
  submit(slot);
  if (job.started_ns == 0) job.started_ns = operation.submitted_ns;
  if (first_read_ns_ == 0) first_read_ns_ = operation.submitted_ns;
}

void Reader::submit(Slot& slot) {
  slot.operation.object = slot.file->object.get();
  slot.operation.part = 0;
  ++in_flight_;
  session_->submit(slot.operation);
  if (adapting_ && slot.operation.kind == OpKind::kReadRange) note_blocking();
  if (traits_.blocking) in_submit_ns_ += slot.operation.completed_ns - slot.operation.submitted_ns;
}

void Reader::note_blocking() {
  const uint64_t switches = voluntary_switches();
  if (std::exchange(switches_, switches) != switches) {
    quiet_reads_ = 0;
    return feed_.workers().read_blocked();
  }
  if (++quiet_reads_ < ActiveWorkers::kQuietReads) return;
  quiet_reads_ = 0;
  feed_.workers().reads_were_quiet();
}

void Reader::finish(Slot& slot) {
  Operation& operation = slot.operation;
  --in_flight_;
  free_slots_.push_back(&slot);
  if (operation.attempts > 1) stats_.retries += operation.attempts - 1;
  stats_.retried_bytes += operation.retried_bytes;
  OpenFile& file = *slot.file;
  switch (operation.kind) {
    case OpKind::kBeginRead:
      if (operation.error) {
        file.state = OpenFile::State::kNew;  // never opened: nothing to close
        return raise(slot, *operation.error);
      }
      stats_.begin_ns.record(static_cast<uint64_t>(operation.completed_ns - operation.submitted_ns));
      file.state = OpenFile::State::kOpen;
      readable_.insert(readable_.end(), file.waiting.begin(), file.waiting.end());
      file.waiting.clear();
      return;
    case OpKind::kEndRead:
      if (operation.error) raise(slot, *operation.error);
      return recycle(file);
    default:
      return finish_read(slot);
  }
}

void Reader::finish_read(Slot& slot) {
  Operation& operation = slot.operation;
  Job& job = *slot.job;
  --job.reads_left;
  if (operation.error) return raise(slot, *operation.error);
  if (operation.bytes != operation.range_bytes) {
    return raise(slot, {ErrorCode::kDataMismatch,
                        fmt::format("{}: {} bytes at offset {} instead of {}", operation.object->name(),
                                    operation.bytes, operation.range_offset, operation.range_bytes)});
  }
  stats_.part_ns.record(static_cast<uint64_t>(operation.completed_ns - operation.submitted_ns));
  stats_.first_byte_ns.record(static_cast<uint64_t>(operation.first_byte_ns - operation.submitted_ns));
  stats_.bytes += operation.bytes;
  ++stats_.parts;
  live_bytes_.store(stats_.bytes, std::memory_order_relaxed);
  if (verify_ && !verify(slot)) return;
  if (job.reads_left == 0 && job.next == job.end) finish_job(job, operation.completed_ns);
}

void Reader::finish_job(Job& job, Nanos completed_ns) {
  OpenFile& file = *job.file;
  stats_.extent_ns.record(static_cast<uint64_t>(completed_ns - job.started_ns));
  ++stats_.extents;
  if (feed_.stream(file.rank).complete(job.ticket)) feed_.announce(file.rank);
  free_jobs_.push_back(&job);
  if (--file.users == 0 && !file.cached) close(file);
}

bool Reader::verify(const Slot& slot) {
  const Operation& operation = slot.operation;
  charge(stats_.times.other_ns);
  const auto wrong = operation.object->first_mismatch(operation.range_offset, operation.buffer);
  charge(stats_.times.prepare_ns);
  if (!wrong) {
    stats_.bytes_verified += operation.range_bytes;
    return true;
  }
  raise(slot, {ErrorCode::kDataMismatch,
               fmt::format("{}: byte {} is not what was generated", operation.object->name(), grouped(*wrong)),
               fmt::format("read of {} bytes at offset {}", operation.range_bytes, operation.range_offset),
               "the storage returned other bytes than it was given, or the data set is of another seed or shape; "
               "generate it again"});
  return false;
}

void Reader::raise(const Slot& slot, Error error) {
  const OpenFile& file = *slot.file;
  const uint32_t rank = feed_.first_rank() + file.rank;
  const std::string where = fmt::format("accelerator {}, epoch {}, file {} of {}", rank, file.pass->epoch, file.index,
                                        file.pass->dataset->files());
  error.details = error.details.empty() ? where : where + "; " + error.details;
  failure_.raise(std::move(error), rank);
}

// At the end, and after a failure: every file that is open is closed, whoever was still waiting for it.
void Reader::close_cached() {
  for (const auto& file : files_) {
    const bool open = file->state == OpenFile::State::kOpen || file->state == OpenFile::State::kClosing;
    if (!open) continue;
    Operation operation;
    operation.kind = OpKind::kEndRead;
    operation.object = file->object.get();
    if (traits_.reads_need_open) {
      session_->submit(operation);
      for (completed_.clear(); completed_.empty();) session_->poll(kLongPoll, completed_);
    }
    file->state = OpenFile::State::kUnused;
  }
}

}  // namespace mlps::training
