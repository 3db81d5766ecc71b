#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/aligned_buffer.hpp"
#include "base/waiting.hpp"
#include "replay/player_shared.hpp"

namespace mlps::replay {
namespace {

using storage::LogOp;
using storage::Operation;
using storage::OpKind;

constexpr uint64_t kSeed = 1;

/// One operation under way.
struct Slot {
  const PlannedOperation* planned = nullptr;
  bool flying = false;  ///< a request is with the session
  bool begun = false;   ///< the first one was sent
  Operation operation = {};
  std::unique_ptr<storage::Object> object;  ///< of a read
  AlignedBuffer buffer = {};
  uint64_t filled_bytes = 0;  ///< of the buffer, with the content that the planned operation writes
  uint32_t part = 0;          ///< kPut: the next one
  uint32_t end_part = 0;
  uint64_t position = 0;  ///< kGet: the next byte
  Nanos begun_ns = 0;
  std::optional<Error> error = {};
};

/// One thread's part of a replay: reads and writes on a session with several operations under way.
class Mover {
 public:
  Mover(Shared& shared, std::unique_ptr<storage::Session> session, uint32_t depth)
      : shared_(shared), traits_(shared.store.traits()), session_(std::move(session)), slots_(depth) {}

  void run() {
    while (!shared_.failure.raised()) {
      claim();
      if (!busy_) break;
      Nanos wake = now_ns() + kLongestWait;
      for (Slot& slot : slots_) {
        if (slot.planned != nullptr && !slot.flying) wake = std::min(wake, try_begin(slot));
      }
      wait(wake);
    }
    if (shared_.failure.raised()) drain();
    const std::lock_guard lock(shared_.mutex);
    shared_.result.merge(result_);
  }

 private:
  void claim() {
    busy_ = false;
    for (Slot& slot : slots_) {
      if (slot.planned == nullptr) {
        const size_t index = shared_.next_move.fetch_add(1);
        if (index < shared_.moves.size()) take(slot, shared_.plan.operations[shared_.moves[index]]);
      }
      busy_ = busy_ || slot.planned != nullptr;
    }
  }

  void take(Slot& slot, const PlannedOperation& planned) {
    slot.planned = &planned;
    slot.begun = slot.flying = false;
    slot.error.reset();
    slot.filled_bytes = 0;
    if (planned.op != LogOp::kPut || planned.bytes > shared_.piece) return;
    if (Status room = make_room(slot, planned.bytes); !room) return;  // it is told when the part is sent
    payload::Source(kSeed, shared_.name_of(planned)).fill(planned.offset, slot.buffer.span().first(planned.bytes));
    slot.filled_bytes = planned.bytes;
  }

  Status make_room(Slot& slot, uint64_t bytes) const {
    const uint64_t alignment = std::max<uint64_t>(traits_.buffer_alignment, 1);
    const uint64_t needed = (std::max<uint64_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    if (slot.buffer.size() >= needed) return {};
    auto larger = AlignedBuffer::allocate(needed);
    if (!larger) return fail(std::move(larger.error()));
    slot.buffer = std::move(*larger);
    slot.filled_bytes = 0;
    return {};
  }

  /// Begins an operation whose time has come; returns when to look again.
  Nanos try_begin(Slot& slot) {
    const Nanos now = now_ns();
    const Nanos due = shared_.due(*slot.planned);
    if (now < due) return due;
    if (!shared_.may_begin(*slot.planned)) return now + kWaitForOthers;
    LiveState& state = shared_.states[slot.planned->state];
    if (slot.planned->op == LogOp::kPut) {
      Stage expected = Stage::kNew;
      const bool begins = state.stage.compare_exchange_strong(expected, Stage::kBeginning);
      if (!begins && expected == Stage::kBeginning) return now + kWaitForOthers;
      note_begin(slot, now, due);
      if (begins) {
        begin_write(slot, state);
      } else {
        begin_parts(slot, state);
      }
    } else {
      note_begin(slot, now, due);
      begin_read(slot);
    }
    return now;
  }

  void note_begin(Slot& slot, Nanos now, Nanos due) {
    slot.begun = true;
    slot.begun_ns = now;
    if (shared_.options.at_recorded_times) result_.late_ns.record(static_cast<uint64_t>(std::max<Nanos>(now - due, 0)));
  }

  // ---- writing

  void begin_write(Slot& slot, LiveState& state) {
    const ObjectState& planned = shared_.plan.states[slot.planned->state];
    const std::string& name = shared_.plan.names[planned.name];
    const uint64_t wanted = std::min(planned.part_bytes, shared_.piece);
    state.object = shared_.store.object({.name = name,
                                         .size_bytes = planned.size_bytes,
                                         .part_bytes = wanted,
                                         .payload = payload::Source(kSeed, name)});
    const bool one = planned.makers == 1 && state.object->part_count() == 1;
    state.whole = !one && state.object->part_bytes() != planned.part_bytes;
    if (state.whole && planned.makers > 1) ++result_.written_whole;
    submit(slot, {.kind = OpKind::kBeginWrite, .object = state.object.get()});
  }

  void begin_parts(Slot& slot, LiveState& state) {
    const uint64_t part_bytes = state.object->part_bytes();
    if (state.whole) {
      slot.part = 0;
      slot.end_part = slot.planned->offset == 0 ? state.object->part_count() : 0;
    } else {
      slot.part = static_cast<uint32_t>(slot.planned->offset / part_bytes);
      slot.end_part = slot.part + 1;
    }
    next_part(slot, state);
  }

  void next_part(Slot& slot, LiveState& state) {
    if (slot.error || state.failed.load() || slot.part == slot.end_part) return parts_done(slot, state);
    const uint64_t bytes = state.object->part_length(slot.part);
    if (Status room = make_room(slot, bytes); !room) {
      slot.error = room.error();
      return parts_done(slot, state);
    }
    if (state.whole || slot.filled_bytes != bytes) {
      state.object->fill(state.object->part_offset(slot.part), slot.buffer.span().first(bytes));
    }
    submit(slot, {.kind = OpKind::kWritePart,
                  .object = state.object.get(),
                  .part = slot.part,
                  .buffer = slot.buffer.span().first(bytes)});
  }

  /// The last of an object's operations commits it, or gives it up.
  void parts_done(Slot& slot, LiveState& state) {
    if (state.failed.load() && !slot.error) {
      slot.error = Error{ErrorCode::kStorageIo, "another part of the object failed"};
    }
    if (slot.error) state.failed.store(true);
    if (state.makers_left.fetch_sub(1) != 1) return end(slot);
    const bool commits = !state.failed.load();
    submit(slot, {.kind = commits ? OpKind::kCommitWrite : OpKind::kAbortWrite, .object = state.object.get()});
  }

  void write_went_on(Slot& slot) {
    LiveState& state = shared_.states[slot.planned->state];
    switch (slot.operation.kind) {
      case OpKind::kBeginWrite:
        if (slot.error) state.failed.store(true);
        state.stage.store(Stage::kOpen, std::memory_order_release);
        return begin_parts(slot, state);
      case OpKind::kWritePart:
        ++slot.part;
        return next_part(slot, state);
      default:
        state.stage.store(Stage::kDone, std::memory_order_release);
        return end(slot);
    }
  }

  // ---- reading

  void begin_read(Slot& slot) {
    const ObjectState& state = shared_.plan.states[slot.planned->state];
    storage::ObjectSpec spec{
        .name = shared_.plan.names[state.name], .size_bytes = state.size_bytes, .part_bytes = shared_.piece};
    shared_.store.renew(slot.object, spec);
    slot.position = slot.planned->offset;
    if (slot.position + slot.planned->bytes > state.size_bytes) {
      slot.error = Error{ErrorCode::kDataMismatch,
                         fmt::format("{} has {} bytes, too few to read {} from {} on", shared_.name_of(*slot.planned),
                                     state.size_bytes, slot.planned->bytes, slot.position)};
      return read_done(slot);
    }
    if (traits_.reads_need_open) return submit(slot, {.kind = OpKind::kBeginRead, .object = slot.object.get()});
    next_range(slot);
  }

  void next_range(Slot& slot) {
    const uint64_t end_of_all = slot.planned->offset + slot.planned->bytes;
    if (slot.error || slot.position >= end_of_all) {
      if (!traits_.reads_need_open) return read_done(slot);
      return submit(slot, {.kind = OpKind::kEndRead, .object = slot.object.get()});
    }
    const uint64_t begin = slot.position - slot.position % std::max<uint64_t>(traits_.buffer_alignment, 1);
    const uint64_t bytes = std::min(end_of_all - begin, shared_.piece);
    if (Status room = make_room(slot, bytes); !room) {
      slot.error = room.error();
      return next_range(slot);
    }
    slot.position = begin + bytes;
    submit(slot, {.kind = OpKind::kReadRange,
                  .object = slot.object.get(),
                  .buffer = slot.buffer.span(),
                  .range_offset = begin,
                  .range_bytes = bytes});
  }

  void read_went_on(Slot& slot) {
    if (slot.operation.kind == OpKind::kEndRead) return read_done(slot);
    if (slot.operation.kind == OpKind::kBeginRead && slot.error) return read_done(slot);
    next_range(slot);
  }

  void read_done(Slot& slot) {
    shared_.states[slot.planned->state].readers_left.fetch_sub(1, std::memory_order_release);
    end(slot);
  }

  // ---- requests

  void submit(Slot& slot, const Operation& operation) {
    slot.operation = operation;
    slot.operation.tag = static_cast<uint64_t>(&slot - slots_.data());
    slot.flying = true;
    ++in_flight_;
    session_->submit(slot.operation);
  }

  void wait(Nanos wake) {
    const Nanos left = std::max<Nanos>(wake - now_ns(), 0);
    if (in_flight_ == 0) {
      if (left > 0) sleep_for(left);
      return;
    }
    done_.clear();
    session_->poll(std::chrono::nanoseconds(left), done_);
    for (Operation* operation : done_) went_on(slots_[operation->tag]);
  }

  void went_on(Slot& slot) {
    --in_flight_;
    slot.flying = false;
    if (slot.operation.error && !slot.error) slot.error = std::move(slot.operation.error);
    if (slot.planned->op == LogOp::kPut) {
      write_went_on(slot);
    } else {
      read_went_on(slot);
    }
  }

  void end(Slot& slot) {
    KindResult& kind = result_.kinds.at(static_cast<size_t>(slot.planned->op));
    if (slot.error) {
      ++kind.failed;
      if (!result_.error) result_.error = std::move(slot.error);
    } else {
      ++kind.operations;
      kind.bytes += slot.planned->bytes;
      kind.latency_ns.record(static_cast<uint64_t>(now_ns() - slot.begun_ns));
      if (slot.planned->recorded_ns > 0) kind.recorded_ns.record(static_cast<uint64_t>(slot.planned->recorded_ns));
    }
    slot.planned = nullptr;
  }

  /// Ends what is under way after a failure; what has begun to be written is given up after all threads have ended.
  void drain() {
    session_->cancel();
    while (in_flight_ > 0) {
      done_.clear();
      session_->poll(std::chrono::nanoseconds(kLongestWait), done_);
      for (Operation* operation : done_) {
        --in_flight_;
        LiveState& state = shared_.states[slots_[operation->tag].planned->state];
        if (operation->kind == OpKind::kBeginWrite) state.stage.store(Stage::kOpen);
        if (operation->kind == OpKind::kCommitWrite && !operation->error) state.stage.store(Stage::kDone);
      }
    }
  }

  Shared& shared_;
  const storage::StoreTraits traits_;
  const std::unique_ptr<storage::Session> session_;
  std::vector<Slot> slots_;
  std::vector<Operation*> done_;
  size_t in_flight_ = 0;
  bool busy_ = false;
  PlayResult result_;
};

}  // namespace

void move_all(Shared& shared, std::unique_ptr<storage::Session> session, uint32_t depth) {
  Mover(shared, std::move(session), depth).run();
}

}  // namespace mlps::replay
