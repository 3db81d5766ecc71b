#include "explorer.hpp"

#include <cxxabi.h>
#include <fmt/format.h>
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

namespace mlps::model {
namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr ObjectId kClock = 1;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool conflict(const Access& a, const Access& b) {
  return a.object != 0 && a.object == b.object && (a.writes || b.writes);
}

bool dependent(const Operation& a, const Operation& b) {
  return conflict(a.first, b.first) || conflict(a.first, b.second) || conflict(a.second, b.first) ||
         conflict(a.second, b.second);
}

/// Something that can happen next: a thread's operation, or the end of its wait at the deadline.
struct Choice {
  ThreadId thread = 0;
  bool is_deadline = false;
  bool is_forced = false;  // nobody could do anything else
  Operation operation;

  bool same(const Choice& other) const { return thread == other.thread && is_deadline == other.is_deadline; }
};

/// A state on the path of the current execution.
struct Node {
  std::vector<Choice> choices;
  std::vector<Choice> asleep;  // explored already, here or before, and nothing has happened since that matters to it
  size_t taken = 0;
};

// What the C++ runtime keeps for each real thread must follow the fiber.
using ExceptionState = std::array<std::byte, sizeof(void*) + sizeof(unsigned)>;

struct Fiber {
  std::string name;
  std::function<void()> body;
  std::unique_ptr<std::byte[]> stack;
  ucontext_t context{};  // for the start
  jmp_buf stopped{};
  bool started = false;
  ExceptionState exceptions{};
  bool ended = false;
  Operation pending;
  std::function<bool()> is_enabled;  // empty: always
  int64_t deadline_ns = kNever;
  ObjectId queue = 0;  // of a sleep with a deadline
  bool expired = false;
  uint32_t early_deadlines = 0;
};

class Explorer {
 public:
  Explorer(const Options& options, const std::function<void(Execution&)>& scenario)
      : options_(options), scenario_(scenario) {}

  Report explore();

  ThreadId add_thread(std::string name, std::function<void()> body);
  void set_end(std::function<void()> body) { at_end_ = std::move(body); }
  bool in_fiber() const { return current_ != nullptr; }
  ObjectId new_object() { return ++last_object_; }
  bool stop_before(const Operation& operation, const std::function<bool()>& is_enabled, int64_t deadline_ns,
                   ObjectId queue);
  void fail(const std::string& what);
  void leave();
  bool has_ended(ThreadId thread) const { return fibers_[thread]->ended; }
  int64_t now() const { return now_ns_; }

 private:
  void execute();
  void run_until_stop(Fiber& fiber);
  std::vector<Choice> choices() const;
  bool descend(size_t depth);
  void take(const Choice& choice);
  bool next_path();
  std::string schedule() const;
  static void enter();

  const Options options_;
  const std::function<void(Execution&)>& scenario_;
  Report report_;
  std::vector<Node> path_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<std::unique_ptr<std::byte[]>> stacks_;
  std::function<void()> at_end_;
  Fiber* current_ = nullptr;
  jmp_buf main_{};
  ExceptionState main_exceptions_{};
  ObjectId last_object_ = kClock;
  int64_t now_ns_ = 0;
  uint64_t preemptions_ = 0;
  std::optional<ThreadId> last_thread_;
};

Explorer* explorer = nullptr;

void swap_exceptions(ExceptionState& from, const ExceptionState& to) {
  void* const live = abi::__cxa_get_globals();
  std::memcpy(from.data(), live, from.size());
  std::memcpy(live, to.data(), to.size());
}

void Explorer::enter() {
  Explorer& self = *explorer;
  try {
    self.current_->body();
  } catch (const std::exception& exception) {
    self.fail(fmt::format("{} ends with an exception: {}", self.current_->name, exception.what()));
  }
  self.current_->ended = true;
  self.leave();
}

void Explorer::leave() {
  Fiber& fiber = *std::exchange(current_, nullptr);
  swap_exceptions(fiber.exceptions, main_exceptions_);
  if (::_setjmp(fiber.stopped) == 0) ::_longjmp(main_, 1);
}

void Explorer::run_until_stop(Fiber& fiber) {
  current_ = &fiber;
  swap_exceptions(main_exceptions_, fiber.exceptions);
  if (::_setjmp(main_) != 0) return;
  // Without the system calls of swapcontext(), which take longer than all the rest.
  if (std::exchange(fiber.started, true)) ::_longjmp(fiber.stopped, 1);
  ::setcontext(&fiber.context);
}

ThreadId Explorer::add_thread(std::string name, std::function<void()> body) {
  auto fiber = std::make_unique<Fiber>();
  fiber->name = std::move(name);
  fiber->body = std::move(body);
  if (stacks_.empty()) {
    fiber->stack.reset(new std::byte[kStackBytes]);
  } else {
    fiber->stack = std::move(stacks_.back());
    stacks_.pop_back();
  }
  ::getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack.get();
  fiber->context.uc_stack.ss_size = kStackBytes;
  ::makecontext(&fiber->context, &Explorer::enter, 0);
  fibers_.push_back(std::move(fiber));
  return static_cast<ThreadId>(fibers_.size() - 1);
}

bool Explorer::stop_before(const Operation& operation, const std::function<bool()>& is_enabled, int64_t deadline_ns,
                           ObjectId queue) {
  Fiber& fiber = *current_;
  fiber.pending = operation;
  fiber.is_enabled = is_enabled;
  fiber.deadline_ns = deadline_ns;
  fiber.queue = queue;
  fiber.expired = false;
  leave();
  return !fiber.expired;
}

void Explorer::fail(const std::string& what) {
  if (report_.failure.empty()) report_.failure = fmt::format("{}\n{}", what, schedule());
}

std::vector<Choice> Explorer::choices() const {
  std::vector<Choice> found, deadlines;
  for (ThreadId id = 0; id < fibers_.size(); ++id) {
    const Fiber& fiber = *fibers_[id];
    if (fiber.ended) continue;
    if (!fiber.is_enabled || fiber.is_enabled()) {
      found.push_back({id, false, false, fiber.pending});
    } else if (fiber.deadline_ns != kNever) {
      deadlines.push_back({id, true, false, {"deadline", {fiber.queue, true}, {kClock, true}}});
    }
  }
  const bool forced = found.empty();
  for (Choice& deadline : deadlines) {
    if (!forced && fibers_[deadline.thread]->early_deadlines >= options_.early_deadlines) continue;
    deadline.is_forced = forced;
    found.push_back(deadline);
  }
  if (options_.max_preemptions >= 0 && preemptions_ >= static_cast<uint64_t>(options_.max_preemptions) &&
      last_thread_) {
    const auto is_last = [&](const Choice& choice) { return choice.thread == *last_thread_ && !choice.is_deadline; };
    if (std::any_of(found.begin(), found.end(), is_last)) std::erase_if(found, std::not_fn(is_last));
  }
  return found;
}

/// Makes the node for the state at `depth`, unless the path has one already. False if there is nothing new below it.
bool Explorer::descend(size_t depth) {
  if (depth < path_.size()) return true;
  Node node;
  node.choices = choices();
  ++report_.states;
  if (node.choices.empty()) {
    std::string blocked;
    for (const auto& fiber : fibers_) {
      if (!fiber->ended) blocked += fmt::format(" {} ({})", fiber->name, fiber->pending.name);
    }
    fail("deadlock: waiting for ever:" + blocked);
    return false;
  }
  if (node.choices.front().is_forced && options_.needs_no_deadlines) {
    fail("a lost wake-up: only a deadline can end a wait");
    return false;
  }
  if (depth > 0 && options_.max_preemptions < 0) {
    const Node& above = path_.back();
    const Choice& taken = above.choices[above.taken];
    for (const Choice& asleep : above.asleep) {
      // When a deadline was forced, others may have been forced only because nothing else could happen.
      if (!taken.is_forced && !asleep.is_forced && asleep.thread != taken.thread &&
          !dependent(asleep.operation, taken.operation)) {
        node.asleep.push_back(asleep);
      }
    }
  }
  const auto is_asleep = [&](const Choice& choice) {
    return std::any_of(node.asleep.begin(), node.asleep.end(), [&](const Choice& other) { return other.same(choice); });
  };
  while (node.taken < node.choices.size() && is_asleep(node.choices[node.taken])) ++node.taken;
  if (node.taken == node.choices.size()) {
    ++report_.pruned;
    return false;
  }
  path_.push_back(std::move(node));
  return true;
}

void Explorer::take(const Choice& choice) {
  Fiber& fiber = *fibers_[choice.thread];
  ++report_.steps;
  if (last_thread_ && *last_thread_ != choice.thread) {
    const Fiber& last = *fibers_[*last_thread_];
    if (!last.ended && (!last.is_enabled || last.is_enabled())) ++preemptions_;
  }
  last_thread_ = choice.thread;
  if (choice.is_deadline) {
    fiber.expired = true;
    now_ns_ = std::max(now_ns_, fiber.deadline_ns);
    if (!choice.is_forced) ++fiber.early_deadlines;
  }
  run_until_stop(fiber);
}

void Explorer::execute() {
  last_object_ = kClock;
  now_ns_ = 0;
  preemptions_ = 0;
  last_thread_.reset();
  Execution execution;
  scenario_(execution);
  for (const auto& fiber : fibers_) run_until_stop(*fiber);  // to the first operation: nothing shared happens before
  for (size_t depth = 0; report_.failure.empty(); ++depth) {
    if (std::all_of(fibers_.begin(), fibers_.end(), [](const auto& fiber) { return fiber->ended; })) {
      ++report_.executions;
      path_.resize(depth);
      if (at_end_) at_end_();
      break;
    }
    if (depth >= options_.max_steps) {
      fail("no end in sight");
      break;
    }
    if (!descend(depth)) break;
    const Node& node = path_[depth];
    take(node.choices[node.taken]);
  }
  // What a fiber that is given up holds on its stack is not destroyed: a few bytes, in a test.
  for (const auto& fiber : fibers_) stacks_.push_back(std::move(fiber->stack));
  fibers_.clear();
  at_end_ = {};
}

/// Moves on to the next path that was not tried. False if there is none.
bool Explorer::next_path() {
  while (!path_.empty()) {
    Node& node = path_.back();
    node.asleep.push_back(node.choices[node.taken]);
    const auto is_asleep = [&](const Choice& choice) {
      return std::any_of(node.asleep.begin(), node.asleep.end(),
                         [&](const Choice& other) { return other.same(choice); });
    };
    while (node.taken < node.choices.size() && is_asleep(node.choices[node.taken])) ++node.taken;
    if (node.taken < node.choices.size()) return true;
    path_.pop_back();
  }
  return false;
}

std::string Explorer::schedule() const {
  std::string text;
  for (const Node& node : path_) {
    const Choice& choice = node.choices[node.taken];
    text += fmt::format("  {}: {}", fibers_[choice.thread]->name, choice.operation.name);
    if (choice.operation.first.object != 0) text += fmt::format(" of #{}", choice.operation.first.object);
    text += '\n';
  }
  return text;
}

Report Explorer::explore() {
  do {
    execute();
  } while (report_.failure.empty() && report_.executions + report_.pruned < options_.max_executions && next_path());
  report_.complete = report_.failure.empty() && path_.empty();
  return report_;
}

}  // namespace

std::string Report::text() const {
  const std::string covered =
      max_preemptions < 0 ? "interleavings" : fmt::format("interleavings with up to {} preemptions", max_preemptions);
  return fmt::format("{} executions, {} pruned, {} states, {} steps, {} {}{}{}", executions, pruned, states, steps,
                     complete ? "all" : "not all", covered, failure.empty() ? "" : "\n", failure);
}

ThreadId Execution::thread(std::string name, std::function<void()> body) {
  return explorer->add_thread(std::move(name), std::move(body));
}

void Execution::at_end(std::function<void()> body) {
  explorer->set_end(std::move(body));
}

Report explore(const Options& options, const std::function<void(Execution&)>& scenario) {
  Explorer one(options, scenario);
  explorer = &one;
  Report report = one.explore();
  report.max_preemptions = options.max_preemptions;
  explorer = nullptr;
  return report;
}

void check(bool holds, const std::string& what) {
  if (holds) return;
  explorer->fail(what);
  if (explorer->in_fiber()) explorer->leave();  // and never come back
}

void join(ThreadId thread) {
  if (!explorer->in_fiber()) return;
  explorer->stop_before(
      {"join"}, [thread] { return explorer->has_ended(thread); }, kNever, 0);
}

ObjectId new_object() {
  return explorer == nullptr ? 0 : explorer->new_object();
}

void step(const Operation& operation) {
  if (explorer != nullptr && explorer->in_fiber()) explorer->stop_before(operation, {}, kNever, 0);
}

void step_when(const Operation& operation, const std::function<bool()>& is_enabled) {
  if (explorer != nullptr && explorer->in_fiber()) explorer->stop_before(operation, is_enabled, kNever, 0);
}

bool sleep_until(ObjectId queue, int64_t deadline_ns, const std::function<bool()>& is_woken) {
  return explorer->stop_before({"sleep"}, is_woken, deadline_ns, queue);
}

int64_t now() {
  step({"now", {kClock, false}});
  return explorer == nullptr ? 0 : explorer->now();
}

}  // namespace mlps::model
