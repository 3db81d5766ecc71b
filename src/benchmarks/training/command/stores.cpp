#include "benchmarks/training/command/stores.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "location/location.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

bool opens_direct(const TrainingOptions& options, const workloads::TrainingWorkload& workload) {
  return options.o_direct || workload.reader.odirect;
}

// "checkpoints/unet3d" in the folder the model's folder lies in.
Location beside(const Location& data, const std::string& model) {
  const std::string parent = std::filesystem::path(data.path()).parent_path().string();
  return Location(data.scheme(), data.bucket(), parent).join("checkpoints").join(model);
}

}  // namespace

Result<std::unique_ptr<storage::Store>> open_data_store(const TrainingOptions& options,
                                                        const workloads::TrainingWorkload& workload,
                                                        storage::Durability durability,
                                                        const Environment& environment) {
  DataFolder folder;
  folder.data_dir = options.data_dir;
  folder.model = options.model;
  folder.models = workloads::training_models();
  folder.o_direct = opens_direct(options, workload);
  auto location = data_location(folder, *options.protocol, environment);
  if (!location) {
    // The parameter asked for it, not the flag.
    Error& error = location.error();
    const size_t flag = options.o_direct ? std::string::npos : error.message.find("--o-direct");
    if (flag != std::string::npos) error.message.replace(flag, std::string_view("--o-direct").size(), "reader.odirect");
    if (flag != std::string::npos) error.suggestion = "leave reader.odirect=True away";
    return fail(error);
  }
  return open_store(*location, options, environment, durability);
}

Result<std::unique_ptr<storage::Store>> open_checkpoint_store(const TrainingOptions& options,
                                                              const workloads::TrainingWorkload& workload,
                                                              bool folder_given, const storage::Store& data,
                                                              const Environment& environment) {
  Result<Location> location = beside(data.root(), options.model);
  if (folder_given) {
    location = checkpoint_location(workload.checkpointing.folder, *options.protocol, opens_direct(options, workload),
                                   environment);
  }
  if (!location) return fail(location.error());
  return open_store(*location, options, environment);
}

Result<std::optional<FoundManifest>> read_manifest(storage::Store& store) {
  if (!store.traits().holds_objects) return std::nullopt;
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  auto text = training::read_text(**session, training::kManifestName);
  if (!text) return fail(std::move(text.error()));
  if (!*text) return std::nullopt;
  FoundManifest found;
  found.text = std::move(**text);
  auto manifest = training::parse_manifest(found.text);
  if (!manifest) {
    Error error = manifest.error();
    error.message = fmt::format("{}: {}", store.root().join(training::kManifestName).to_string(), error.message);
    return fail(std::move(error));
  }
  found.manifest = std::move(*manifest);
  return found;
}

void add_storage_values(const storage::Store& store, workloads::Values& values) {
  const Location& root = store.root();
  const auto set = [&](const char* key, std::string value) {
    values[key] = {std::move(value), workloads::ValueSource::kTool};
  };
  const bool direct = root.scheme() == Scheme::kDirect;
  set("dataset.data_folder", root.is_object_store() ? root.path() : root.to_string());
  set("dataset.skip_listing", "True");
  set("storage.storage_type", root.is_object_store() ? "s3" : direct ? "direct_fs" : "local_fs");
  set("storage.storage_root", root.is_object_store() ? root.bucket() : "/");
}

}  // namespace mlps::cli
