#pragma once

#include <string>
#include <vector>

#include "storage/store.hpp"
#include "workloads/values.hpp"

/// Where the bytes of a run really go, in the parameters by which mlpstorage 3.0 tells it.
namespace mlps::results {

/// Returns `storage.*` of a run through `store`, in the order of mlpstorage 3.0. Plain files have none there; a store
/// without storage says "null". `folder` is the path that holds the model's folder, the root for direct I/O.
std::vector<workloads::Override> storage_parameters(const storage::Store& store, const std::string& folder);

/// Returns the folder as `checkpoint.checkpoint_folder` has it: a path, or bucket and prefix without a scheme.
std::string checkpoint_folder_parameter(const Location& folder);
/// Returns the folder as `dataset.data_folder` has it: a path, the name of the model's folder below `storage_root` for
/// direct I/O, or the whole address in an object store.
std::string data_folder_parameter(const Location& folder);

/// Sets what the tool decided. A user's own value for a key stays.
void set_tool_values(const std::vector<workloads::Override>& decided, workloads::Values& values);

}  // namespace mlps::results
