#include "io/io_thread.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/units.hpp"

namespace mlps::io {
namespace {

using storage::Operation;
using storage::OpKind;

// With free slots and a source that may get more at any time, look again this soon; else only completions matter.
constexpr std::chrono::nanoseconds kShortPoll = std::chrono::milliseconds(1);
// The most that the abort of an upload may take after an error; servers remove the parts of a large one for seconds.
constexpr Nanos kAbortAfterError = 60'000'000'000;

constexpr std::chrono::nanoseconds kLongPoll = std::chrono::milliseconds(100);

}  // namespace

void raise(world::Failure& failure, Error error, const Place& place) {
  error.details = error.details.empty() ? place.text : place.text + "; " + error.details;
  failure.raise(std::move(error), place.rank);
}

bool TaskSource::failed(Slot& slot) {
  raise(failure_, *slot.operation.error, place(slot));
  return false;
}

IoThread::IoThread(const Plan& plan, bool verify, const storage::StoreTraits& traits, world::Failure& failure,
                   SharedSeries* series)
    : verify_(verify),
      blocking_(traits.blocking),
      timed_(traits.holds_objects),
      failure_(failure),
      slots_(plan.depth),
      seconds_(series) {}

Result<std::unique_ptr<IoThread>> IoThread::open(const Plan& plan, bool verify, storage::Store& store,
                                                 world::Failure& failure, SharedSeries* series) {
  std::unique_ptr<IoThread> thread(new IoThread(plan, verify, store.traits(), failure, series));
  auto session = store.open_session(plan.depth);
  if (!session) return fail(std::move(session.error()));
  thread->session_ = std::move(*session);
  if (plan.buffers) {
    auto slab = AlignedBuffer::allocate(plan.depth * plan.part_bytes);
    if (!slab) return fail(std::move(slab.error()));
    thread->slab_ = std::move(*slab);
  }
  for (size_t i = 0; i < thread->slots_.size(); ++i) {
    Slot& slot = thread->slots_[i];
    slot.operation.tag = i;
    if (plan.buffers) slot.buffer = thread->slab_.span().subspan(i * plan.part_bytes, plan.part_bytes);
    thread->free_.push_back(&slot);
  }
  return thread;
}

void IoThread::charge_until(Nanos now, Nanos& bucket) {
  if (now <= mark_) return;  // a moment that the session noted before the last look at the clock
  bucket += now - mark_;
  const bool ours = &bucket == &stats_->times.prepare_ns || &bucket == &stats_->times.other_ns;
  if (ours && in_flight_ == 0) stats_->times.exposed_ns += now - mark_;
  mark_ = now;
}

void IoThread::work(TaskSource& source) {
  stats_ = &source.stats();
  Times& times = stats_->times;
  source.begin();
  mark_ = now_ns();
  for (;;) {
    const EventCount::Key key = source.prepare_wait();
    while (!free_.empty() && !failure_.raised() && source.next(*free_.back(), free_.size() - 1)) {
      Slot& slot = *free_.back();
      free_.pop_back();
      start(slot, source);
    }
    charge(times.other_ns);
    if (in_flight_ == 0) {
      if (source.finished() || failure_.raised()) return seconds_.flush();
      source.wait(key);
      charge(times.idle_ns);
      continue;
    }
    completed_.clear();
    session_->poll(!free_.empty() && source.may_get_more() ? kShortPoll : kLongPoll, completed_);
    charge(times.wait_ns);
    for (Operation* operation : completed_) finish(slots_[operation->tag], source);
  }
}

void IoThread::start(Slot& slot, TaskSource& source) {
  Operation& operation = slot.operation;
  slot.prepare_ns = 0;
  if (operation.writes_body() && !operation.buffer.empty()) {
    charge(stats_->times.other_ns);
    const Nanos before = mark_;
    operation.object->fill(operation.offset(), operation.buffer);
    charge(stats_->times.prepare_ns);
    slot.prepare_ns = mark_ - before;
  }
  submit(slot);
  if (first_part_ns_ == 0 && (operation.writes_body() || operation.reads_body()) && source.counts(slot)) {
    first_part_ns_ = operation.submitted_ns;
  }
}

void IoThread::submit(Slot& slot) {
  Operation& operation = slot.operation;
  if (!operation.writes_body() && !operation.reads_body()) operation.buffer = {};
  operation.error.reset();
  operation.bytes = operation.retried_bytes = 0;
  operation.attempts = 0;
  session_->submit(operation);
  if (timed_) charge_until(operation.submitted_ns, stats_->times.other_ns);
  ++in_flight_;
  if (blocking_) {
    charge_until(operation.completed_ns, stats_->times.submit_ns);
  } else if (timed_) {
    charge(stats_->times.submit_ns);
  }
}

void IoThread::count(const Slot& slot, bool counts) {
  const Operation& operation = slot.operation;
  Stats& stats = *stats_;
  if (operation.attempts > 1) {
    stats.retries += operation.attempts - 1;
    seconds_.retried(operation.completed_ns, operation.attempts - 1);
  }
  stats.retried_bytes += operation.retried_bytes;
  if (operation.error || !counts) return;
  const auto latency = static_cast<uint64_t>(operation.completed_ns - operation.submitted_ns);
  const bool measured = timed_ || latency != 0;  // null:// answers at once: there is nothing to time
  const auto record = [&](Histogram& histogram, uint64_t value) {
    if (measured) histogram.record(value);
  };
  switch (operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      record(stats.begin_ns, latency);
      break;
    case OpKind::kWritePart:
    case OpKind::kReadPart:
    case OpKind::kReadRange:
      record(stats.part_ns, latency);
      record(stats.first_byte_ns, static_cast<uint64_t>(operation.first_byte_ns - operation.submitted_ns));
      stats.bytes += operation.bytes;
      ++stats.parts;
      seconds_.moved(operation.completed_ns, operation.bytes, measured ? std::optional(latency) : std::nullopt);
      live_bytes_.store(live_bytes_.load(std::memory_order_relaxed) + operation.bytes, std::memory_order_relaxed);
      break;
    default:
      record(stats.commit_ns, latency);
      if (measured) seconds_.committed(operation.completed_ns, latency);
      ++stats.objects;
      break;
  }
}

void IoThread::finish(Slot& slot, TaskSource& source) {
  --in_flight_;
  count(slot, source.counts(slot));
  const bool again = slot.operation.error ? source.failed(slot) : check(slot, source) && source.done(slot);
  if (again) return submit(slot);
  free_.push_back(&slot);
}

bool IoThread::check(Slot& slot, TaskSource& source) {
  const Operation& operation = slot.operation;
  if (!operation.writes_body() && !operation.reads_body()) return true;
  if (operation.bytes != operation.length()) {
    raise(failure_,
          {ErrorCode::kDataMismatch,
           fmt::format("{}: {} bytes at offset {} were moved instead of {}", operation.object->name(),
                       grouped(operation.bytes), grouped(operation.offset()), grouped(operation.length()))},
          source.place(slot));
    return false;
  }
  return !verify_ || operation.writes_body() || verify(slot, source);
}

bool IoThread::verify(Slot& slot, TaskSource& source) {
  const Operation& operation = slot.operation;
  charge(stats_->times.other_ns);
  const Nanos before = mark_;
  const auto wrong = operation.object->first_mismatch(operation.offset(), operation.buffer);
  charge(stats_->times.prepare_ns);
  slot.prepare_ns = mark_ - before;
  if (!wrong) {
    stats_->bytes_verified += operation.bytes;
    return true;
  }
  if (source.accepts_mismatch(slot, *wrong)) return true;
  raise(failure_,
        {ErrorCode::kDataMismatch,
         fmt::format("{}: byte {} is not what was written", operation.object->name(), grouped(*wrong)),
         fmt::format("read of {} bytes at offset {}, object of {} bytes", grouped(operation.length()),
                     grouped(operation.offset()), grouped(operation.object->size_bytes())),
         source.mismatch_hint()},
        source.place(slot));
  return false;
}

void IoThread::run(Operation& operation) {
  session_->submit(operation);
  for (completed_.clear(); completed_.empty();) session_->poll(kLongPoll, completed_);
}

void IoThread::abort(storage::Object& object) {
  Operation operation;
  operation.kind = OpKind::kAbortWrite;
  operation.object = &object;
  // Whoever stops the run waits for it, and a server that is away was waited for already; after other errors nobody
  // waits.
  const auto first = failure_.first();
  const bool patient = first && first->code != ErrorCode::kInterrupted && first->code != ErrorCode::kStorageUnreachable;
  if (patient) operation.limit_ns = kAbortAfterError;
  run(operation);
  if (operation.error && not_aborted_.count++ == 0) {
    not_aborted_.first = fmt::format("{}: {}", object.name(), operation.error->message);
  }
}

}  // namespace mlps::io
