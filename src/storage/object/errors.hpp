#pragma once

#include "base/error.hpp"
#include "storage/object/call.hpp"
#include "storage/object/context.hpp"
#include "storage/object/verdict.hpp"

namespace mlps::object {

/// Returns the error of a call that is given up: request, object and part, what happened, attempts; endpoint and
/// request id as details; advice by what happened: the dialect's, else that of every protocol.
Error call_error(const Context& context, const Call& call, const Verdict& verdict);

}  // namespace mlps::object
