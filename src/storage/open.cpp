#include "storage/open.hpp"

#include <fmt/format.h>

#include "storage/azure/azure_store.hpp"
#include "storage/fault/fault_store.hpp"
#include "storage/gcs/gcs_store.hpp"
#include "storage/logged_store.hpp"
#include "storage/null/null_store.hpp"
#include "storage/posix/file_store.hpp"
#include "storage/s3/s3_store.hpp"

namespace mlps::storage {
namespace {

Result<std::unique_ptr<Store>> open_plain(const Location& root, const StoreOptions& options,
                                          const Environment& environment) {
  switch (root.scheme()) {
    case Scheme::kFile:
      return open_file_store(root, options.fadvise, options.durability);
    case Scheme::kDirect:
      return open_direct_store(root, options.durability);
    case Scheme::kS3:
      return open_s3_store(root, options.servers, environment);
    case Scheme::kGs:
      return open_gcs_store(root, options.servers, environment);
    case Scheme::kAzure:
      return open_azure_store(root, options.servers, environment);
    case Scheme::kNull:
      return open_null_store(root);
  }
  return fail(ErrorCode::kInternal, fmt::format("no client for {}", root.to_string()));
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const Location& root, const StoreOptions& options,
                                          const Environment& environment) {
  auto store = open_plain(root, options, environment);
  if (store && options.servers.op_log && !root.is_object_store()) {
    store = open_logged_store(std::move(*store), options.servers.op_log);
  }
  if (!store || options.fault.empty()) return store;
  return open_fault_store(std::move(*store), options.fault, options.fault_seed);
}

Result<SettingList> describe_servers(const Location& root, const Environment& environment) {
  if (root.scheme() == Scheme::kAzure) return describe_azure_servers(root, environment);
  if (root.scheme() == Scheme::kGs) return describe_gcs_servers(root, environment);
  if (root.scheme() == Scheme::kS3) return describe_s3_servers(root, environment);
  return SettingList{};
}

}  // namespace mlps::storage
