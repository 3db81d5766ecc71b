#pragma once

#include <memory>

#include "storage/op_log.hpp"
#include "storage/store.hpp"

namespace mlps::storage {

/// Returns a store that keeps every operation of its sessions in `log`: for stores without servers, whose operations
/// are their requests. Object stores log themselves, attempt by attempt.
std::unique_ptr<Store> open_logged_store(std::unique_ptr<Store> inner, std::shared_ptr<OpLog> log);

}  // namespace mlps::storage
