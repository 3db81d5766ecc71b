#include "storage/fault/fault_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/log.hpp"
#include "base/waiting.hpp"
#include "storage/fault/fault_plan.hpp"
#include "storage/outcome.hpp"
#include "storage/wrapped_store.hpp"

namespace mlps::storage {
namespace fault {
namespace {

using std::chrono::nanoseconds;

uint64_t body_length(const Operation& operation) {
  return operation.writes_body() || operation.reads_body() ? operation.length() : 0;
}

/// Returns the body bytes that one failed attempt had moved: half when the connection broke, all of an upload that was
/// answered with an error, none when the server refused the request.
uint64_t wasted_per_attempt(const Operation& operation, FaultKind kind) {
  if (kind == FaultKind::kReset) return body_length(operation) / 2;
  if (kind == FaultKind::kError500 && operation.kind == OpKind::kWritePart) return body_length(operation);
  return 0;
}

Error final_error(const Operation& operation, FaultKind kind) {
  const std::string what = fmt::format("{} of {}", op_name(operation.kind), operation.object->name());
  const std::string injected = fmt::format("injected fault \"{}\"", kind_name(kind));
  switch (kind) {
    case FaultKind::kReset:
      return {ErrorCode::kStorageUnreachable, what + ": connection reset by peer", injected};
    case FaultKind::kError500:
      return {ErrorCode::kStorageProtocol, what + ": 500 InternalError", injected};
    case FaultKind::kSlowdown:
      return {ErrorCode::kStorageThrottled, what + ": 503 SlowDown", injected, "ask for less at a time"};
    case FaultKind::kDenied:
      return {ErrorCode::kStorageDenied, what + ": 403 AccessDenied", injected, "check credentials and rights"};
    case FaultKind::kFull:
      return {ErrorCode::kDiskFull, what + ": No space left on device", injected,
              "free space, inodes (df -i) or quota on this file system, or choose another folder"};
    default:
      return {ErrorCode::kInternal, what + ": this fault is no error", injected};
  }
}

/// An operation that the inner session carries out, and whose fault changes its outcome afterwards.
struct Pending {
  Operation* operation = nullptr;
  Fault fault;
  uint64_t bit = 0;                    ///< kFlip
  Nanos due_ns = 0;                    ///< kRate; kSlow, once it is back
  AlignedBuffer copy = {};             ///< kFlip of a write: what is written
  std::span<std::byte> original = {};  ///< then: the caller's bytes, whose checksum a store may have noted
};

void flip(Operation& operation, uint64_t bit) {
  operation.buffer[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
}

class FaultSession final : public WrappedSession {
 public:
  FaultSession(std::unique_ptr<Session> inner, FaultPlan& plan) : WrappedSession(std::move(inner)), plan_(plan) {}

  void submit(Operation& operation) override {
    std::optional<Fault> fault;
    if (!cancelled_.load()) fault = plan_.match(operation.kind, operation.object->name());
    if (!fault) return pass(operation);
    switch (fault->kind) {
      case FaultKind::kReset:
      case FaultKind::kError500:
      case FaultKind::kSlowdown:
        if (fault->amount >= kMaxAttempts) return refuse(operation, fault->kind, kMaxAttempts);
        return pass_with({&operation, *fault});
      case FaultKind::kDenied:
      case FaultKind::kFull:
        return refuse(operation, fault->kind, 1);
      case FaultKind::kLost:
        start_outcome(operation);
        operation.bytes = body_length(operation);
        finish_outcome(operation, {});
        ready_.push_back(&operation);
        return;
      case FaultKind::kHang:
        start_outcome(operation);
        hung_.push_back(&operation);
        log::status("injected fault: {} of {} hangs", op_name(operation.kind), operation.object->name());
        return;
      case FaultKind::kFlip:
        return pass_flipped(operation, *fault);
      case FaultKind::kRate: {
        const Nanos due = fault->limit->admit(body_length(operation), fault->amount, now_ns());
        return pass_with({&operation, *fault, 0, due});
      }
      case FaultKind::kShort:
      case FaultKind::kSlow:
        return pass_with({&operation, *fault});
    }
  }

  void poll(nanoseconds timeout, std::vector<Operation*>& done) override {
    const Nanos deadline = now_ns() + timeout.count();
    for (;;) {
      release();
      const nanoseconds left = ready_.empty() ? wait_time(deadline) : nanoseconds(0);
      if (in_flight_ != 0) {
        returned_.clear();
        inner_->poll(left, returned_);
        for (Operation* operation : returned_) settle(*operation);
        release();
      } else if (ready_.empty()) {
        if (hung_.empty() && held_.empty()) return;
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, now_ns() + left.count(), [&] { return cancelled_.load(); });
        lock.unlock();
        release();
      }
      if (!ready_.empty() || now_ns() >= deadline) break;
    }
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
  }

  void cancel() override {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    wake_.notify_all();
    inner_->cancel();
  }

 private:
  void pass(Operation& operation) {
    ++in_flight_;
    inner_->submit(operation);
  }

  void pass_with(Pending pending) {
    Operation& operation = *pending.operation;
    pending_.push_back(std::move(pending));
    pass(operation);
  }

  void pass_flipped(Operation& operation, Fault fault) {
    const uint64_t length = std::min<uint64_t>(body_length(operation), operation.buffer.size());
    if (length == 0) return pass(operation);
    const uint64_t bit = plan_.bit_of(operation.object->name(), operation.part, length);
    Pending pending{&operation, fault, bit};
    if (operation.kind == OpKind::kWritePart) {
      auto copy = AlignedBuffer::allocate(operation.buffer.size() + AlignedBuffer::kAlignment);
      if (!copy) return refuse(operation, std::move(copy.error()));
      std::copy(operation.buffer.begin(), operation.buffer.end(), copy->data());
      pending.copy = std::move(*copy);
      pending.original = std::exchange(operation.buffer, pending.copy.span().first(operation.buffer.size()));
      flip(operation, bit);
    }
    pass_with(std::move(pending));
  }

  void refuse(Operation& operation, Error error) {
    start_outcome(operation);
    finish_outcome(operation, fail(std::move(error)));
    ready_.push_back(&operation);
  }

  void refuse(Operation& operation, FaultKind kind, uint32_t attempts) {
    start_outcome(operation);
    operation.attempts = attempts;
    operation.retried_bytes = attempts * wasted_per_attempt(operation, kind);
    finish_outcome(operation, fail(final_error(operation, kind)));
    ready_.push_back(&operation);
  }

  /// Applies the fault to the outcome of an operation that came back from the inner session.
  void settle(Operation& operation) {
    --in_flight_;
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const Pending& pending) { return pending.operation == &operation; });
    if (found == pending_.end()) {
      ready_.push_back(&operation);
      return;
    }
    Pending pending = std::move(*found);
    pending_.erase(found);
    if (pending.fault.kind == FaultKind::kFlip) {
      if (operation.kind == OpKind::kWritePart) {
        operation.buffer = pending.original;
      } else if (!operation.error) {
        flip(operation, pending.bit);
      }
    } else if (pending.fault.kind == FaultKind::kShort) {
      cut_short(operation);
    } else if (pending.fault.kind == FaultKind::kSlow) {
      pending.due_ns = now_ns() + static_cast<Nanos>(pending.fault.amount) * 1'000'000;
      held_.push_back(std::move(pending));
      return;
    } else if (pending.fault.kind == FaultKind::kRate) {
      held_.push_back(std::move(pending));
      return;
    } else {
      operation.attempts += static_cast<uint32_t>(pending.fault.amount);
      operation.retried_bytes += pending.fault.amount * wasted_per_attempt(operation, pending.fault.kind);
    }
    ready_.push_back(&operation);
  }

  static void cut_short(Operation& operation) {
    if (operation.error) return;
    const uint64_t length = operation.bytes;
    operation.bytes = length / 2;
    if (operation.reads_body() && !operation.buffer.empty()) {
      std::memset(operation.buffer.data() + operation.bytes, 0, length - operation.bytes);
    }
  }

  /// Completes what was delayed long enough, and everything delayed or hanging when the session is cancelled.
  void release() {
    const bool cancelled = cancelled_.load();
    const Nanos now = now_ns();
    std::erase_if(held_, [&](const Pending& held) {
      if (!cancelled && held.due_ns > now) return false;
      Operation& operation = *held.operation;
      const bool stopped = cancelled && !operation.error && !is_cleanup(operation.kind);
      finish_outcome(operation, stopped ? fail(cancelled_error(operation)) : Status{});
      ready_.push_back(&operation);
      return true;
    });
    if (!cancelled) return;
    for (Operation* operation : hung_) {
      finish_outcome(*operation, fail(cancelled_error(*operation)));
      ready_.push_back(operation);
    }
    hung_.clear();
  }

  /// Returns how long poll() may sleep: until its deadline, or until something delayed is due.
  nanoseconds wait_time(Nanos deadline) const {
    Nanos until = deadline;
    for (const Pending& held : held_) until = std::min(until, held.due_ns);
    return nanoseconds(std::max<Nanos>(until - now_ns(), 0));
  }

  FaultPlan& plan_;
  size_t in_flight_ = 0;  ///< in the inner session
  std::vector<Operation*> ready_;
  std::vector<Operation*> returned_;
  std::vector<Operation*> hung_;
  std::vector<Pending> pending_;
  std::vector<Pending> held_;
  std::mutex mutex_;  ///< for wake_
  Condition wake_;
  std::atomic<bool> cancelled_ = false;
};

class FaultStore final : public WrappedStore {
 public:
  FaultStore(std::unique_ptr<Store> inner, std::unique_ptr<FaultPlan> plan)
      : WrappedStore(std::move(inner)), plan_(std::move(plan)) {}

  StoreTraits traits() const override {
    StoreTraits traits = inner_->traits();
    traits.reads_need_open = true;  // so that a fault meant for it happens
    return traits;
  }
  SettingList describe() const override {
    auto settings = inner_->describe();
    settings.emplace_back("injected_faults", plan_->text());
    return settings;
  }

 private:
  std::unique_ptr<Session> wrap(std::unique_ptr<Session> session) override {
    return std::make_unique<FaultSession>(std::move(session), *plan_);
  }

  std::unique_ptr<FaultPlan> plan_;
};

}  // namespace
}  // namespace fault

Result<std::unique_ptr<Store>> open_fault_store(std::unique_ptr<Store> inner, std::string_view spec, uint64_t seed) {
  Result<std::unique_ptr<fault::FaultPlan>> plan = fault::FaultPlan::parse(spec, seed);
  if (!plan) return fail(std::move(plan.error()));
  return std::make_unique<fault::FaultStore>(std::move(inner), std::move(*plan));
}

}  // namespace mlps::storage
