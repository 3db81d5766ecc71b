#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "explorer.hpp"

namespace mlps::model {

/// The threads that sleep on one object, in the order in which they came.
class SleepQueue {
 public:
  /// Sleeps until wake(); false at the deadline. `queue` is the object that it belongs to.
  bool sleep(ObjectId queue, int64_t deadline_ns) {
    Sleeper self;
    sleepers_.push_back(&self);
    const bool woken = sleep_until(queue, deadline_ns, [&self] { return self.woken; });
    if (!woken) std::erase(sleepers_, &self);
    return woken;
  }
  void wake(uint32_t count) {
    for (; count > 0 && !sleepers_.empty(); --count) {
      sleepers_.front()->woken = true;
      sleepers_.erase(sleepers_.begin());
    }
  }

 private:
  struct Sleeper {
    bool woken = false;
  };
  std::vector<Sleeper*> sleepers_;
};

/// As std::atomic, sequentially consistent whatever order is asked for.
template <class T>
class Atomic {
 public:
  Atomic() = default;
  Atomic(T value) : value_(value) {}  // NOLINT: as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    step({"load", {id_, false}});
    return value_;
  }
  operator T() const { return load(); }  // NOLINT: as std::atomic
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    step({"store", {id_, true}});
    value_ = value;
  }
  T operator=(T value) {
    store(value);
    return value;
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    step({"exchange", {id_, true}});
    return std::exchange(value_, value);
  }
  T fetch_add(T value, std::memory_order = std::memory_order_seq_cst) {
    step({"fetch_add", {id_, true}});
    return std::exchange(value_, static_cast<T>(value_ + value));
  }
  T fetch_sub(T value, std::memory_order = std::memory_order_seq_cst) {
    step({"fetch_sub", {id_, true}});
    return std::exchange(value_, static_cast<T>(value_ - value));
  }
  T fetch_or(T value, std::memory_order = std::memory_order_seq_cst) {
    step({"fetch_or", {id_, true}});
    return std::exchange(value_, static_cast<T>(value_ | value));
  }
  T operator++() { return static_cast<T>(fetch_add(1) + 1); }
  T operator++(int) { return fetch_add(1); }
  T operator--() { return static_cast<T>(fetch_sub(1) - 1); }
  T operator--(int) { return fetch_sub(1); }
  bool compare_exchange_strong(T& expected, T value, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
    step({"compare_exchange", {id_, true}});
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = value;
    return true;
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, value);
  }

 private:
  friend struct ModelSync;
  const ObjectId id_ = new_object();
  T value_{};
  SleepQueue queue_;
};

class Mutex {
 public:
  void lock() {
    step_when({"lock", {id_, true}}, [this] { return !locked_; });
    locked_ = true;
  }
  bool try_lock() {
    step({"try_lock", {id_, true}});
    return !std::exchange(locked_, true);
  }
  void unlock() {
    step({"unlock", {id_, true}});
    locked_ = false;
  }

 private:
  friend class Condition;
  const ObjectId id_ = new_object();
  bool locked_ = false;
};

/// As mlps::Condition.
class Condition {
 public:
  void notify_all() {
    step({"notify_all", {id_, true}});
    queue_.wake(UINT32_MAX);
  }
  template <class Done>
  void wait(std::unique_lock<Mutex>& lock, Done done) {
    while (!done()) sleep(lock, INT64_MAX);
  }
  template <class Done>
  bool wait_until(std::unique_lock<Mutex>& lock, int64_t deadline_ns, Done done) {
    while (!done()) {
      if (!sleep(lock, deadline_ns)) return done();
    }
    return true;
  }

 private:
  bool sleep(std::unique_lock<Mutex>& lock, int64_t deadline_ns) {
    step({"wait", {id_, true}, {lock.mutex()->id_, true}});
    lock.mutex()->locked_ = false;
    const bool woken = queue_.sleep(id_, deadline_ns);
    lock.mutex()->lock();
    return woken;
  }

  const ObjectId id_ = new_object();
  SleepQueue queue_;
};

/// The policy for protocols under test: as RealSync of base/sync.hpp.
struct ModelSync {
  template <class T>
  using Atomic = model::Atomic<T>;
  using Mutex = model::Mutex;
  using Condition = model::Condition;

  static int64_t now() { return model::now(); }

  static constexpr int kYields = 0;
  static void yield() {}

  static void futex_wait(Atomic<uint32_t>& word, uint32_t expected, int64_t deadline_ns) {
    step({"futex_wait", {word.id_, true}});
    if (word.value_ == expected) word.queue_.sleep(word.id_, deadline_ns);
  }
  static void futex_wake(Atomic<uint32_t>& word, uint32_t count) {
    step({"futex_wake", {word.id_, true}});
    word.queue_.wake(count);
  }
};

}  // namespace mlps::model
