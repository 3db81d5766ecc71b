#pragma once

#include "base/error.hpp"
#include "storage/s3/call.hpp"
#include "storage/s3/context.hpp"
#include "storage/s3/judge.hpp"

namespace mlps::s3 {

/// Returns the error of a call that is given up: operation, object and part, what happened, attempts; endpoint and
/// request id as details; advice by what happened. Secrets that the server repeats are erased.
Error call_error(const Context& context, const Call& call, const Verdict& verdict);

}  // namespace mlps::s3
