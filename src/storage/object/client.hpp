#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include "base/error.hpp"
#include "storage/http/engine.hpp"
#include "storage/object/call.hpp"
#include "storage/object/context.hpp"
#include "storage/object/judge.hpp"

namespace mlps::object {

/// Carries out calls: chooses a server, has the request written, judges the answer and repeats what may be repeated,
/// many at a time on one thread and without ever sleeping. Not thread-safe, except wake().
class Client {
 public:
  /// At most `slots` calls may be under way. `ordinal` spreads the sessions of a store over its servers.
  static Result<std::unique_ptr<Client>> open(Context& context, unsigned slots, unsigned ordinal);

  /// Starts a call. It comes back from poll(), with `error` set if it was given up.
  void begin(Call& call);
  /// Appends finished calls to `done`; returns early when there are some, or after wake().
  void poll(std::chrono::nanoseconds timeout, std::vector<Call*>& done);
  /// Forgets a call without finishing it. True if it waited for its next attempt, false if a request was under way.
  bool drop(Call& call);
  bool waits(const Call& call) const { return call.due_ns != 0; }
  void wake() { engine_->wake(); }

 private:
  Client(Context& context, std::unique_ptr<http::Engine> engine, unsigned ordinal);

  int64_t server_time() const;
  void send(Call& call);
  size_t next_server();
  void evaluate(Call& call, std::vector<Call*>& done);
  bool repeat_at_once(Call& call, const Verdict& verdict);
  bool correct_clock(Call& call);
  bool repeat_later(Call& call, const Verdict& verdict);
  void tell_waiting(const Call& call, const Verdict& verdict);
  Nanos wait_before_next(const Call& call, const Verdict& verdict);

  Context& context_;
  std::unique_ptr<http::Engine> engine_;
  std::unique_ptr<RequestWriter> writer_;
  std::minstd_rand random_;
  size_t turn_;
  std::vector<Nanos> quarantined_until_;
  std::vector<Call*> waiting_;
  std::vector<Call*> refused_;  ///< given up before anything was sent
  std::vector<http::Exchange*> answered_;
};

}  // namespace mlps::object
