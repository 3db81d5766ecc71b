#include "results/storage_parameters.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace mlps::results {
namespace {

using workloads::Override;
using workloads::ValueSource;

// mlpstorage 3.0 names the client library of its object stores here; these bytes are moved by this program's own.
constexpr const char* kLibrary = "mlpstorage";

Override decided(const char* key, std::string value) {
  return {std::string("storage.") + key, std::move(value), ValueSource::kTool};
}

bool uses_path_style(const storage::Store& store) {
  const storage::SettingList settings = store.describe();
  return std::find(settings.begin(), settings.end(), std::pair<std::string, std::string>("addressing", "path")) !=
         settings.end();
}

}  // namespace

std::vector<Override> storage_parameters(const storage::Store& store, const std::string& folder) {
  const Location& root = store.root();
  if (root.scheme() == Scheme::kFile) return {};
  if (root.scheme() == Scheme::kNull) return {decided("storage_type", "null")};
  Override library = decided("storage_options.storage_library", kLibrary);
  Override scheme = decided("storage_options.uri_scheme", std::string(scheme_name(root.scheme())));
  if (root.scheme() == Scheme::kDirect) {
    return {decided("storage_type", "direct_fs"), std::move(library), std::move(scheme),
            decided("storage_root", folder)};
  }
  std::vector<Override> parameters = {decided("storage_type", "s3"), decided("storage_root", root.bucket()),
                                      std::move(library), std::move(scheme)};
  if (uses_path_style(store)) parameters.push_back(decided("s3_force_path_style", "true"));
  return parameters;
}

std::string checkpoint_folder_parameter(const Location& folder) {
  return folder.is_object_store()  ? folder.bucket() + "/" + folder.path()
         : folder.is_file_system() ? folder.path()
                                   : folder.to_string();
}

std::string data_folder_parameter(const Location& folder) {
  if (folder.scheme() == Scheme::kDirect) return std::filesystem::path(folder.path()).filename().string();
  return folder.to_string();
}

void set_tool_values(const std::vector<Override>& decided, workloads::Values& values) {
  for (const Override& change : decided) {
    workloads::SourcedValue& value = values[change.key];
    if (value.source != ValueSource::kUserParams) value = {change.value, change.source};
  }
}

}  // namespace mlps::results
