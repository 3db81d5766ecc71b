#include "base/threads.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>

#include "base/control_group.hpp"
#include "base/event_count.hpp"

namespace mlps {
namespace {

/// Holds the threads of a group back until all of them have started.
class StartGate {
 public:
  void open(bool all_started) {
    state_.store(all_started ? State::kGo : State::kGiveUp, std::memory_order_release);
    opened_.notify();
  }
  /// Waits for open(), which the starting thread calls in any case; true if the work is to be done.
  bool wait() {
    for (;;) {
      const auto key = opened_.prepare_wait();
      const State state = state_.load(std::memory_order_acquire);
      if (state != State::kClosed) return state == State::kGo;
      opened_.wait(key);
    }
  }

 private:
  enum class State { kClosed, kGo, kGiveUp };
  std::atomic<State> state_{State::kClosed};
  EventCount opened_;
};

struct Group {
  ThreadPurpose purpose;
  std::function<void(size_t)> work;
  StartGate gate;
};

void run(Group& group, size_t index) {
  try {
    group.work(index);
  } catch (...) {
    if (group.purpose.on_error) group.purpose.on_error(error_of_exception(group.purpose.name));
  }
}

/// The limit of the innermost control group of this process that has one, "max" if none has.
std::string pids_limit() {
  for (const std::string& folder : control_group_folders("pids")) {
    std::string limit;
    if (std::ifstream(folder + "/pids.max") >> limit && limit != "max") return limit;
  }
  return "max";
}

/// A limit of this process, in the units in which ulimit has it.
std::string limit_text(decltype(RLIMIT_NPROC) resource, rlim_t unit = 1) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return "unknown";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit.rlim_cur / unit);
}

Error refused(size_t running, size_t wanted, const ThreadPurpose& purpose, const std::string& reason) {
  return {
      ErrorCode::kCommandFailed,
      fmt::format("the system refused to start {}: {} of {} were started: {}", purpose.name, running, wanted, reason),
      fmt::format("limits: processes and threads of this user (ulimit -u) {}, of this control group (pids.max) {}; "
                  "KiB of addresses (ulimit -v) {}, KiB of a thread's stack (ulimit -s) {}",
                  limit_text(RLIMIT_NPROC), pids_limit(), limit_text(RLIMIT_AS, 1024), limit_text(RLIMIT_STACK, 1024)),
      purpose.fewer_by.empty() ? "raise the limit of threads (ulimit -u, or pids.max of the control group)"
                               : fmt::format("raise the limit of threads (ulimit -u, or pids.max of the control "
                                             "group), or lower {}",
                                             purpose.fewer_by)};
}

}  // namespace

Error error_of_exception(const std::string& who) {
  Error error{ErrorCode::kInternal, {}, {}, "this is a defect of mlpstorage: please report it with the command line"};
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {
        ErrorCode::kCommandFailed,
        fmt::format("{}: no memory left", who),
        {},
        "raise the memory limit of the process (ulimit -v, memory.max of the control group), or ask for less at once"};
  } catch (const std::exception& exception) {
    error.message = fmt::format("{}: {}", who, exception.what());
  } catch (...) {
    error.message = fmt::format("{}: an exception of an unknown type", who);
  }
  return error;
}

Threads& Threads::operator=(Threads&& other) noexcept {
  join();
  threads_ = std::move(other.threads_);
  other.threads_.clear();
  return *this;
}

Result<Threads> Threads::start(size_t count, ThreadPurpose purpose, std::function<void(size_t)> work) {
  const auto group = std::make_shared<Group>();
  group->purpose = std::move(purpose);
  group->work = std::move(work);
  Threads started;
  std::optional<std::string> refusal;
  try {
    started.threads_.reserve(count);
    for (size_t index = 0; index < count; ++index) {
      started.threads_.emplace_back([group, index] {
        ::pthread_setname_np(::pthread_self(), group->purpose.name.substr(0, 15).c_str());
        if (group->gate.wait()) run(*group, index);
      });
    }
  } catch (const std::exception& exception) {
    refusal = exception.what();
  }
  group->gate.open(!refusal);
  if (!refusal) return started;
  const size_t running = started.threads_.size();
  started.join();
  return fail(refused(running, count, group->purpose, *refusal));
}

unsigned processors() {
  const unsigned there = std::max(1U, std::thread::hardware_concurrency());
  const auto allowed = processor_limit();
  return allowed && *allowed < there ? std::max(1U, static_cast<unsigned>(std::ceil(*allowed))) : there;
}

void Threads::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Threads::detach() {
  for (std::thread& thread : threads_) thread.detach();
  threads_.clear();
}

Status run_on_threads(size_t count, ThreadPurpose purpose, const std::function<void(size_t)>& work) {
  if (count == 0) return {};
  std::mutex mutex;
  std::optional<Error> first;
  const std::string name = purpose.name;
  const auto report = [&, at_once = std::move(purpose.on_error)](Error error) {
    {
      const std::lock_guard lock(mutex);
      if (!first) first = error;
    }
    if (at_once) at_once(std::move(error));
  };
  purpose.on_error = report;
  auto others = Threads::start(count - 1, std::move(purpose), [&work](size_t index) { work(index + 1); });
  if (!others) return fail(std::move(others.error()));
  try {
    work(0);
  } catch (...) {
    report(error_of_exception(name));
  }
  others->join();
  if (first) return fail(std::move(*first));
  return {};
}

}  // namespace mlps
