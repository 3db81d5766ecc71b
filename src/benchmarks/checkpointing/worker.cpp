#include "benchmarks/checkpointing/worker.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace mlps::checkpointing {
namespace {

using storage::Operation;
using storage::OpKind;

// With free slots and lanes that may open elsewhere, look again this soon; else only completions matter.
constexpr std::chrono::nanoseconds kShortPoll = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kLongPoll = std::chrono::milliseconds(100);

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(uint32_t index, const WorkerSettings& settings, storage::Store& store) {
  std::unique_ptr<Worker> worker(new Worker(index, settings));
  auto session = store.open_session(settings.io.depth);
  if (!session) return fail(session.error());
  worker->session_ = std::move(*session);
  if (settings.payload != PayloadMode::kNone) {
    auto slab = AlignedBuffer::allocate(settings.io.depth * settings.io.part_bytes);
    if (!slab) return fail(slab.error());
    worker->slab_ = std::move(*slab);
  }
  worker->slots_.resize(settings.io.depth);
  for (size_t i = 0; i < worker->slots_.size(); ++i) {
    Slot& slot = worker->slots_[i];
    if (worker->slab_.size() > 0) {
      slot.buffer = worker->slab_.span().subspan(i * settings.io.part_bytes, settings.io.part_bytes);
    }
    slot.operation.tag = i;
    worker->free_.push_back(&slot);
  }
  return worker;
}

void Worker::charge(Nanos& bucket) {
  const Nanos now = now_ns();
  bucket += now - mark_;
  const bool ours = &bucket == &now_->times.prepare_ns || &bucket == &now_->times.other_ns;
  if (ours && in_flight_ == 0) now_->times.exposed_ns += now - mark_;
  mark_ = now;
}

void Worker::work(Board& board, world::Failure& failure) {
  phase_ = board.phase();
  now_ = &stats(phase_);
  lanes_.clear();
  for (size_t i = 0; i < board.size(); ++i) {
    // Each worker starts elsewhere, so that they don't crowd at one lane.
    lanes_.push_back(&board.lane((i + index_ * board.size() / settings_.io.workers) % board.size()));
  }
  next_lane_ = 0;
  board.wait_first_ring();
  mark_ = now_ns();
  for (;;) {
    const uint32_t bell = board.bell();
    Step step;
    Lane* lane = nullptr;
    while (!free_.empty() && !failure.raised() && take(step, lane)) {
      Slot& slot = *free_.back();
      free_.pop_back();
      start(slot, step, lane);
    }
    if (in_flight_ == 0) {
      charge(now_->times.other_ns);
      if (board.finished() || failure.raised()) return;
      board.wait_bell(bell);
      charge(now_->times.idle_ns);
      continue;
    }
    charge(now_->times.other_ns);
    completed_.clear();
    session_->poll(!free_.empty() && !lanes_.empty() ? kShortPoll : kLongPoll, completed_);
    charge(now_->times.wait_ns);
    for (Operation* operation : completed_) finish(slots_[operation->tag], board, failure);
  }
}

bool Worker::take(Step& step, Lane*& lane) {
  for (size_t tries = lanes_.size(); tries > 0; --tries) {
    if (next_lane_ >= lanes_.size()) next_lane_ = 0;
    Lane* const candidate = lanes_[next_lane_];
    switch (candidate->take(step)) {
      case Lane::Taken::kStep:
        lane = candidate;
        ++next_lane_;
        return true;
      case Lane::Taken::kLater:
        ++next_lane_;
        break;
      case Lane::Taken::kExhausted:
        lanes_[next_lane_] = lanes_.back();
        lanes_.pop_back();
        break;
    }
  }
  return false;
}

void Worker::start(Slot& slot, const Step& step, Lane* lane) {
  Operation& operation = slot.operation;
  const storage::Object& object = *step.object->object;
  slot.lane = lane;
  slot.object = step.object;
  slot.prepare_ns = 0;
  operation.object = step.object->object.get();
  operation.part = step.part;
  operation.buffer = {};
  if (step.is_begin) {
    operation.kind = phase_ == Phase::kWrite ? OpKind::kBeginWrite : OpKind::kBeginRead;
  } else {
    operation.kind = phase_ == Phase::kWrite ? OpKind::kWritePart : OpKind::kReadPart;
    if (settings_.payload != PayloadMode::kNone) {
      operation.buffer = slot.buffer.first(object.part_length(step.part));
      if (phase_ == Phase::kWrite) {
        charge(now_->times.other_ns);
        const Nanos before = mark_;
        object.payload().fill(object.part_offset(step.part), operation.buffer);
        charge(now_->times.prepare_ns);
        slot.prepare_ns = mark_ - before;
      }
    }
    if (first_part_ns_ == 0) first_part_ns_ = now_ns();
  }
  submit(slot);
}

void Worker::submit(Slot& slot) {
  Operation& operation = slot.operation;
  operation.error.reset();
  operation.bytes = operation.retried_bytes = 0;
  operation.attempts = 0;
  charge(now_->times.other_ns);
  session_->submit(operation);
  ++in_flight_;
  charge(now_->times.submit_ns);
}

void Worker::count(const Slot& slot) {
  const Operation& operation = slot.operation;
  const auto latency = static_cast<uint64_t>(operation.completed_ns - operation.submitted_ns);
  if (operation.attempts > 1) now_->retries += operation.attempts - 1;
  now_->retried_bytes += operation.retried_bytes;
  if (operation.error) return;
  switch (operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      now_->begin_ns.record(latency);
      break;
    case OpKind::kWritePart:
    case OpKind::kReadPart:
      now_->part_ns.record(latency);
      now_->first_byte_ns.record(static_cast<uint64_t>(operation.first_byte_ns - operation.submitted_ns));
      now_->bytes += operation.bytes;
      ++now_->parts;
      live_bytes_.store(live_bytes_.load(std::memory_order_relaxed) + operation.bytes, std::memory_order_relaxed);
      break;
    default:
      now_->commit_ns.record(latency);
      ++now_->objects;
      break;
  }
}

void Worker::finish(Slot& slot, Board& board, world::Failure& failure) {
  Operation& operation = slot.operation;
  --in_flight_;
  count(slot);
  if (operation.error) {
    raise(slot, *operation.error, board, failure);
    free_.push_back(&slot);
    return;
  }
  switch (operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      slot.lane->charge(0, operation.completed_ns - operation.submitted_ns);
      slot.object->state.store(LaneObject::State::kOpen, std::memory_order_release);
      free_.push_back(&slot);
      board.ring();
      return;
    case OpKind::kWritePart:
    case OpKind::kReadPart:
      finish_part(slot, board, failure);
      return;
    default:
      slot.lane->charge(0, operation.completed_ns - operation.submitted_ns);
      slot.object->state.store(LaneObject::State::kComplete, std::memory_order_release);
      free_.push_back(&slot);
      if (slot.lane->complete_object(operation.completed_ns)) {
        board.lane_done();
        board.ring();
      }
      return;
  }
}

void Worker::raise(const Slot& slot, Error error, const Board& board, world::Failure& failure) {
  const std::string where =
      fmt::format("rank {}, {} of checkpoint {}", slot.lane->rank(), phase_name(phase_), board.checkpoint());
  error.details = error.details.empty() ? where : where + "; " + error.details;
  failure.raise(std::move(error), slot.lane->rank());
}

void Worker::finish_part(Slot& slot, Board& board, world::Failure& failure) {
  Operation& operation = slot.operation;
  const storage::Object& object = *operation.object;
  if (operation.bytes != object.part_length(operation.part)) {
    failure.raise(
        {ErrorCode::kDataMismatch, fmt::format("{}: part {} moved {} bytes instead of {}", object.name(),
                                               operation.part, operation.bytes, object.part_length(operation.part))});
  } else if (phase_ == Phase::kRead && settings_.verify) {
    verify(slot, board, failure);
  }
  slot.lane->charge(slot.prepare_ns, operation.completed_ns - operation.submitted_ns);
  const bool last = slot.object->parts_left.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (!last || failure.raised()) {
    free_.push_back(&slot);
    return;
  }
  operation.kind = phase_ == Phase::kWrite ? OpKind::kCommitWrite : OpKind::kEndRead;
  operation.buffer = {};
  operation.part = 0;
  slot.prepare_ns = 0;
  submit(slot);
}

void Worker::verify(Slot& slot, const Board& board, world::Failure& failure) {
  const Operation& operation = slot.operation;
  const storage::Object& object = *operation.object;
  charge(now_->times.other_ns);
  const Nanos before = mark_;
  const auto wrong = object.payload().first_mismatch(object.part_offset(operation.part), operation.buffer);
  charge(now_->times.prepare_ns);
  slot.prepare_ns = mark_ - before;
  if (!wrong) {
    now_->bytes_verified += operation.buffer.size();
    return;
  }
  raise(slot,
        {ErrorCode::kDataMismatch, fmt::format("{}: byte {} is not what was written", object.name(), grouped(*wrong)),
         fmt::format("part {} of {}, object of {} bytes", operation.part + 1, object.part_count(),
                     grouped(object.size_bytes())),
         "the storage returned other bytes than it was given, or the object is from another run; compare "
         "--seed and --size-scale with the run that wrote it"},
        board, failure);
}

std::vector<std::string> Worker::abort_open(Board& board, std::atomic<uint32_t>& next_lane) {
  std::vector<std::string> problems;
  if (board.phase() != Phase::kWrite) return problems;
  for (uint32_t rank; (rank = next_lane.fetch_add(1)) < board.size();) {
    for (const auto& object : board.lane(rank).objects()) {
      const auto state = object->state.load(std::memory_order_acquire);
      if (state != LaneObject::State::kOpening && state != LaneObject::State::kOpen) continue;
      Operation operation;
      operation.kind = OpKind::kAbortWrite;
      operation.object = object->object.get();
      session_->submit(operation);
      for (completed_.clear(); completed_.empty();) session_->poll(kLongPoll, completed_);
      if (operation.error)
        problems.push_back(fmt::format("abort {}: {}", object->object->name(), operation.error->message));
    }
  }
  return problems;
}

}  // namespace mlps::checkpointing
