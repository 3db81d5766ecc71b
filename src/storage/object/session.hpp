#pragma once

#include <memory>

#include "storage/object/context.hpp"
#include "storage/store.hpp"

namespace mlps::object {

/// Returns a session of a store; `ordinal` counts the sessions of that store. The session shares ownership of the
/// context.
Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context, unsigned depth,
                                                       unsigned ordinal);

}  // namespace mlps::object
