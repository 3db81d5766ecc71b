#pragma once

#include <memory>
#include <vector>

#include "storage/object/context.hpp"
#include "storage/store.hpp"

namespace mlps::object {

/// Makes a store of a server that speaks `context`'s dialect. `description` and `endpoints` are what Store::describe()
/// and Store::endpoints() return.
std::unique_ptr<storage::Store> make_store(std::shared_ptr<Context> context, storage::SettingList description,
                                           std::vector<storage::Endpoint> endpoints);

}  // namespace mlps::object
