#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

/// A step-by-step activity of the simulation as a coroutine: it waits for storage or for time without a thread. All of
/// one engine run on the engine's thread.
namespace mlps::kvcache {

template <class T>
class Task;

namespace detail {
struct Resume {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
    return ended.promise().waiter ? ended.promise().waiter : std::coroutine_handle<>(std::noop_coroutine());
  }
  void await_resume() const noexcept {}
};
struct PromiseBase {
  std::coroutine_handle<> waiter;
  std::exception_ptr thrown;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Resume final_suspend() const noexcept { return {}; }
  void unhandled_exception() { thrown = std::current_exception(); }
};
template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value = std::move(result); }
};
template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
};
}  // namespace detail

/// Owns a coroutine, which begins when it is awaited or started. Destroying it ends the activity where it waits.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;  // NOLINT(readability-identifier-naming): a name of the language

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Runs the activity until it waits for the first time.
  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }
  /// Throws what left the activity, if something did.
  void check() const {
    if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  T await_resume() {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace mlps::kvcache
