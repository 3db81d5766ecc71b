#pragma once

#include <memory>

#include "storage/s3/context.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// Returns a session of a store; `ordinal` counts the sessions of that store. The session shares ownership of the
/// context.
Result<std::unique_ptr<storage::Session>> make_session(std::shared_ptr<Context> context, unsigned depth,
                                                       unsigned ordinal);

}  // namespace mlps::s3
