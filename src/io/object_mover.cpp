#include "io/object_mover.hpp"

#include <fmt/format.h>

#include "io/io_thread.hpp"

namespace mlps::io {

using storage::Operation;
using storage::OpKind;

namespace {

/// A thread takes so many bytes of parts that lie beside one another from a queue before it turns to the next one: a
/// disk that turns, or a stripe over several devices, gets them as one stream.
constexpr uint64_t kStretchBytes = storage::kPartBytes;

}  // namespace

void ObjectMover::begin() {
  queues_.clear();
  const size_t size = work_->size();
  for (size_t i = 0; i < size; ++i) {
    // Each thread starts elsewhere, so that they don't crowd at one queue.
    queues_.push_back(&work_->queue((i + index_ * size / threads_) % size));
  }
  turn_to(0);
  work_->wait_started();
}

void ObjectMover::turn_to(size_t queue) {
  next_queue_ = queue;
  stretch_bytes_ = 0;
}

bool ObjectMover::take(RankQueue::Step& step, RankQueue*& queue) {
  for (size_t tries = queues_.size(); tries > 0; --tries) {
    if (next_queue_ >= queues_.size()) turn_to(0);
    RankQueue* const candidate = queues_[next_queue_];
    switch (candidate->take(step)) {
      case RankQueue::Taken::kStep:
        queue = candidate;
        stretch_bytes_ += step.object->object->part_bytes();
        if (step.is_begin || stretch_bytes_ >= kStretchBytes) turn_to(next_queue_ + 1);
        return true;
      case RankQueue::Taken::kLater:
        turn_to(next_queue_ + 1);
        break;
      case RankQueue::Taken::kExhausted:
        queues_[next_queue_] = queues_.back();
        queues_.pop_back();
        turn_to(next_queue_);
        break;
    }
  }
  return false;
}

bool ObjectMover::next(Slot& slot, size_t /*more_free*/) {
  RankQueue::Step step;
  Carried& carried = carried_[slot.index()];
  if (!take(step, carried.queue)) return false;
  carried.object = step.object;
  Operation& operation = slot.operation;
  operation.object = step.object->object.get();
  operation.part = step.part;
  if (step.is_begin) {
    operation.kind = work_->writes() ? OpKind::kBeginWrite : OpKind::kBeginRead;
  } else {
    operation.kind = work_->writes() ? OpKind::kWritePart : OpKind::kReadPart;
    slot.use_buffer(operation.length());
  }
  return true;
}

bool ObjectMover::done(Slot& slot) {
  Operation& operation = slot.operation;
  const Carried& carried = carried_[slot.index()];
  in_flight_.push_back({operation.submitted_ns, operation.completed_ns});
  carried.queue->charge(slot.prepare_ns, operation.completed_ns - operation.submitted_ns);
  switch (operation.kind) {
    case OpKind::kBeginWrite:
    case OpKind::kBeginRead:
      work_->opened(*carried.object);
      return false;
    case OpKind::kWritePart:
    case OpKind::kReadPart:
      break;
    default:
      work_->completed(*carried.queue, *carried.object, operation.completed_ns);
      return false;
  }
  const bool was_last = carried.object->parts_left.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (!was_last || failure_.raised()) return false;
  operation.kind = work_->writes() ? OpKind::kCommitWrite : OpKind::kEndRead;
  operation.part = 0;
  slot.prepare_ns = 0;
  return true;
}

void ObjectMover::clean_up(IoThread& thread, bool failed) {
  if (!failed || !work_->writes()) return;
  while (RankQueue* queue = work_->next_to_abort()) {
    for (const auto& object : queue->objects()) {
      if (object->is_open()) thread.abort(*object->object);
    }
  }
}

Place ObjectMover::place(const Slot& slot) const {
  const uint32_t rank = carried_[slot.index()].queue->rank();
  return {fmt::format("rank {}, {}", rank, work_->name()), rank};
}

}  // namespace mlps::io
