#pragma once

#include <memory>

#include "storage/s3/settings.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// Returns a store with these settings, which no variable decided: tests use short back-offs, benchmarks a server of
/// their own.
std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings);

}  // namespace mlps::s3
