#pragma once

#include "base/error.hpp"
#include "storage/object/call.hpp"
#include "storage/object/context.hpp"
#include "storage/object/verdict.hpp"

namespace mlps::object {

/// What to do when the versions of the parts of one read differ.
inline constexpr const char* kVersionAdvice =
    "Something writes the object while it is read, or the server makes up its ETags: read objects as one part then "
    "(--io-part-size), which needs none.";

/// Returns the error of a call that is given up: request, object and part, what happened, attempts; endpoint and
/// request id as details; advice by what happened: the dialect's, else that of every protocol.
Error call_error(const Context& context, const Call& call, const Verdict& verdict);

}  // namespace mlps::object
