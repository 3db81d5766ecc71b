#pragma once

#include "storage/object/dialect.hpp"

namespace mlps::object {

/// Judges the attempt in `call.exchange`.
Verdict judge(const Dialect& dialect, const Call& call);

/// Judges an answer with an error: by the server's code where `dialect` has a rule for it, else by status.
Verdict judge_error(const Dialect& dialect, int status, const ServerError& error);

}  // namespace mlps::object
