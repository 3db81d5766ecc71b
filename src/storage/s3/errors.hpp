#pragma once

#include "base/error.hpp"
#include "storage/s3/call.hpp"
#include "storage/s3/context.hpp"
#include "storage/s3/judge.hpp"

namespace mlps::s3 {

/// The error of a call that is given up: operation, object and part, what happened, attempts; endpoint and request id
/// as details; advice by what happened. Free of secrets even where the server repeats them.
Error call_error(const Context& context, const Call& call, const Verdict& verdict);

}  // namespace mlps::s3
