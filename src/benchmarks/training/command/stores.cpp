#include "benchmarks/training/command/stores.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "benchmarks/training/check_files.hpp"
#include "benchmarks/training/run.hpp"
#include "location/location.hpp"
#include "results/storage_parameters.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

bool opens_direct(const TrainingOptions& options, const workloads::TrainingWorkload& workload) {
  return options.o_direct || workload.reader.odirect;
}

std::string parent_of(const Location& folder) {
  return std::filesystem::path(folder.path()).parent_path().string();
}

// "checkpoints/unet3d" in the folder the model's folder lies in.
Location beside(const Location& data, const std::string& model) {
  return Location(data.scheme(), data.bucket(), parent_of(data)).join("checkpoints").join(model);
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

Result<std::optional<training::Manifest>> read_manifest(storage::Store& store) {
  if (!store.traits().holds_objects) return std::nullopt;
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  auto text = training::read_text(**session, training::kManifestName);
  if (!text) return fail(std::move(text.error()));
  if (!*text) return std::nullopt;
  auto manifest = training::parse_manifest(**text);
  if (!manifest) {
    Error error = manifest.error();
    error.message = fmt::format("{}: {}", store.root().join(training::kManifestName).to_string(), error.message);
    return fail(std::move(error));
  }
  return std::move(*manifest);
}

void add_storage_values(const storage::Store& store, workloads::TrainingWorkload& workload) {
  const uint64_t interval =
      training::listing_interval(workload.dataset.num_files_train, workload.dataset.listing_validation_interval);
  std::vector<workloads::Override> decided = results::storage_parameters(store, parent_of(store.root()));
  const auto set = [&](const char* key, std::string value) {
    decided.push_back({key, std::move(value), workloads::ValueSource::kTool});
  };
  set("dataset.data_folder", results::data_folder_parameter(store.root()));
  set("dataset.skip_listing", "True");
  set("dataset.listing_validation_interval", std::to_string(interval));
  results::set_tool_values(decided, workload.values);
}

}  // namespace mlps::cli
