#pragma once

#include <memory>

#include "storage/store.hpp"

namespace mlps::storage {

/// Opens null://: accepts every write and produces the payload on reads, without I/O: it measures the program itself.
std::unique_ptr<Store> open_null_store(const Location& root);

}  // namespace mlps::storage
