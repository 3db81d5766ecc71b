#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/http/engine.hpp"
#include "storage/object/call.hpp"
#include "storage/object/context.hpp"
#include "storage/object/verdict.hpp"
#include "storage/op_log.hpp"
#include "storage/server_use.hpp"

namespace mlps::object {

/// Carries out calls: chooses a server, has the request written, judges the answer and repeats what may be repeated,
/// many at a time on one thread and without ever sleeping. While a call waits, it says for what; of several servers it
/// probes those that are quiet or set aside. Not thread-safe, except wake().
class Client {
 public:
  /// At most `slots` calls may be under way. `ordinal` spreads the sessions of a store over its servers. `settings`
  /// replace those of the context.
  static Result<std::unique_ptr<Client>> open(Context& context, TransferSettings settings, unsigned slots,
                                              unsigned ordinal);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Starts a call. It comes back from poll(), with `error` set if it was given up.
  void begin(Call& call);
  /// Appends finished calls to `done`; returns early when there are some, or after wake().
  void poll(std::chrono::nanoseconds timeout, std::vector<Call*>& done);
  /// Forgets a call without finishing it. True if it waited for its next attempt, false if a request was under way.
  bool drop(Call& call);
  bool waits(const Call& call) const { return call.due_ns != 0; }
  void wake() { engine_->wake(); }

 private:
  /// What was counted at one server since the last report.
  struct Tally {
    storage::ServerUse use;
    std::vector<uint64_t> answers_ns;
  };

  Client(Context& context, TransferSettings settings, std::unique_ptr<http::Engine> engine, unsigned ordinal);

  int64_t server_time() const;
  void send(Call& call);
  void fill_exchange(Call& call, Nanos now) const;
  void evaluate(Call& call, std::vector<Call*>& done);
  void count(const Call& call, const Verdict& verdict);
  void log_attempt(const Call& call, std::string_view error);
  bool repeat_at_once(Call& call, const Verdict& verdict);
  bool correct_clock(Call& call);
  bool repeat_later(Call& call, const Verdict& verdict);
  Nanos wait_before_next(const Call& call, const Verdict& verdict);
  bool may_tell(Nanos now);
  void tell_waiting(const Call& call, Nanos now);

  void send_due(Nanos now);
  void watch(Nanos now, std::vector<Call*>& done);
  void cut(Call& call, Nanos quiet, std::vector<Call*>& done);
  void probe(size_t server);
  void probe_done();
  void report();

  Context& context_;
  TransferSettings settings_;
  std::unique_ptr<http::Engine> engine_;
  std::unique_ptr<RequestWriter> writer_;
  std::minstd_rand random_;
  size_t turn_;
  std::vector<Call*> in_flight_;
  std::vector<Call*> waiting_;  ///< for their time
  std::vector<Call*> refused_;  ///< given up before anything was sent
  std::vector<http::Exchange*> answered_;
  std::vector<Tally> tallies_;  ///< by server
  Nanos next_watch_ns_ = 0;
  Nanos next_report_ns_ = 0;
  Call probe_;
  std::string probe_subject_;
  std::shared_ptr<storage::OpLogChannel> log_;  ///< null: no operation log is kept
};

}  // namespace mlps::object
