#pragma once

#include <memory>

#include "storage/object/context.hpp"
#include "storage/store.hpp"

namespace mlps::object {

/// Returns a session of a store; `ordinal` counts the sessions of that store, `settings` say how long it waits. The
/// session shares ownership of the context.
Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context,
                                                       const TransferSettings& settings, unsigned depth,
                                                       unsigned ordinal);

}  // namespace mlps::object
