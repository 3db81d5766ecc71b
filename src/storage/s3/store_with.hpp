#pragma once

#include <memory>

#include "storage/s3/settings.hpp"
#include "storage/store.hpp"

namespace mlps::s3 {

/// A store with settings made by hand: tests use short back-offs, benchmarks other buffer sizes.
std::unique_ptr<storage::Store> store_with(const Location& root, Settings settings);

}  // namespace mlps::s3
