#include "benchmarks/checkpointing/lane.hpp"

namespace mlps::checkpointing {

Lane::Taken Lane::take(Step& step) {
  if (!active_.load(std::memory_order_acquire)) return Taken::kLater;
  for (;;) {
    uint32_t index = current_.load(std::memory_order_acquire);
    if (index >= objects_.size()) return Taken::kExhausted;
    LaneObject& object = *objects_[index];
    auto state = object.state.load(std::memory_order_acquire);
    if (state == LaneObject::State::kOpening) return Taken::kLater;
    if (state == LaneObject::State::kIdle) {
      if (!object.state.compare_exchange_strong(state, LaneObject::State::kOpening)) return Taken::kLater;
      step = {&object, true, 0};
      return Taken::kStep;
    }
    const uint32_t part = object.next_part.fetch_add(1, std::memory_order_relaxed);
    if (part < object.object->part_count()) {
      step = {&object, false, part};
      return Taken::kStep;
    }
    current_.compare_exchange_strong(index, index + 1);  // someone else may have moved on already
  }
}

bool Lane::complete_object(Nanos now) {
  if (objects_left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  end_ns_ = now;
  auto running = Outcome::kRunning;
  outcome_.compare_exchange_strong(running, Outcome::kDone, std::memory_order_release);
  outcome_.notify_all();
  return true;
}

void Lane::stop() {
  auto running = Outcome::kRunning;
  outcome_.compare_exchange_strong(running, Outcome::kStopped, std::memory_order_release);
  outcome_.notify_all();
}

bool Lane::wait_done() const {
  outcome_.wait(Outcome::kRunning, std::memory_order_acquire);
  return outcome_.load(std::memory_order_acquire) == Outcome::kDone;
}

Board::Board(Phase phase, uint32_t checkpoint, size_t ranks, uint32_t first_rank)
    : phase_(phase), checkpoint_(checkpoint), lanes_left_(static_cast<uint32_t>(ranks)) {
  lanes_.reserve(ranks);
  for (size_t i = 0; i < ranks; ++i) lanes_.push_back(std::make_unique<Lane>(first_rank + static_cast<uint32_t>(i)));
}

void Board::stop() {
  for (const auto& lane : lanes_) lane->stop();
  ring();
}

}  // namespace mlps::checkpointing
