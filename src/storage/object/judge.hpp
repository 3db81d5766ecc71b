#pragma once

#include "storage/object/dialect.hpp"
#include "storage/object/servers.hpp"

namespace mlps::object {

/// Judges the attempt in `call.exchange`.
Verdict judge(const Dialect& dialect, const Call& call);

/// Judges an answer with an error: by the server's code where `dialect` has a rule for it, else by status.
Verdict judge_error(const Dialect& dialect, int status, const ServerError& error);

/// Returns what an attempt says about the health of its server, `now` being the time of its end.
Health health_of(const Call& call, const Verdict& verdict, Nanos now);

/// Returns why an attempt failed, in the few words by which failures are counted: "no connection", "HTTP 503 SlowDown".
std::string cause_of(const http::Exchange& exchange, const Verdict& verdict);

/// Returns whether another attempt after a pause may do better.
bool may_heal(Action action);

/// Returns whether the failure is about the state of the server (away, overloaded, failing), which lasts for a while,
/// rather than about this one request.
bool is_servers_state(const Call& call, const Verdict& verdict);

}  // namespace mlps::object
