#include "benchmarks/checkpointing/command/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/log.hpp"
#include "benchmarks/checkpointing/argument_rules.hpp"
#include "benchmarks/checkpointing/io_plan.hpp"
#include "results/storage_parameters.hpp"
#include "session/execution.hpp"
#include "workloads/schema.hpp"

namespace mlps::cli {
namespace {

using workloads::Override;
using workloads::ValueSource;

// Returns whether a parameter says the same as the flags that decide it.
bool agrees(const CheckpointingOptions& options, const std::string& key, const std::string& value) {
  if (key == "checkpoint.checkpoint_folder") {
    const std::string& folder = options.checkpoint_folder;
    return value == folder || value == folder + (folder.ends_with('/') ? "" : "/") + options.model;
  }
  const bool object = options.protocol == AccessProtocol::kObject;
  return key == "storage.storage_type" && value == (object ? "s3" : options.o_direct ? "direct_fs" : "local_fs");
}

// Returns everything that is wrong with --params: keys and values that can't be, and those that say differently what
// flags decide.
std::vector<Error> check_params(const CheckpointingOptions& options) {
  std::vector<Error> errors;
  for (const auto& [key, value] : options.common.params) {
    const bool decided = key == "checkpoint.checkpoint_folder" || key.starts_with("storage.");
    if (decided && !agrees(options, key, value)) {
      errors.push_back(
          {ErrorCode::kConfigIncompatible,
           fmt::format("--params {}={} can't be honoured", key, value),
           {},
           "--checkpoint-folder alone says where checkpoints go, and the folder's scheme how they get there"});
    } else if (const auto legal = workloads::checkpoint_schema().checked_value(key, value); !legal) {
      errors.push_back(legal.error());
    }
  }
  return errors;
}

// Returns the overrides in the order applied: what the user says is the last word.
std::vector<Override> overrides_of(const CheckpointingOptions& options, bool params_are_good) {
  std::vector<Override> overrides = {
      {"checkpoint.num_checkpoints_read", std::to_string(options.num_checkpoints_read), ValueSource::kTool},
      {"checkpoint.num_checkpoints_write", std::to_string(options.num_checkpoints_write), ValueSource::kTool}};
  if (!params_are_good) return overrides;
  for (const auto& [key, value] : options.common.params) overrides.push_back({key, value, ValueSource::kUserParams});
  return overrides;
}

Status check_payload(const CheckpointingOptions& options, const Location& folder) {
  if (options.payload == checkpointing::PayloadMode::kUnique) return {};
  if (folder.scheme() != Scheme::kNull) {
    return fail(ErrorCode::kConfigIncompatible, fmt::format("--payload none with {}", folder.to_string()), {},
                "unfilled buffers measure the program itself: they are legal with a null:// folder only");
  }
  if (options.verify) {
    return fail(ErrorCode::kConfigIncompatible, "--verify with --payload none", {}, "there is nothing to verify");
  }
  return {};
}

/// Returns the errors of the rules for this command; their warnings are logged for commands that run.
std::vector<Error> apply_rules(const CheckpointingOptions& options, uint64_t checkpoint_bytes,
                               PreparedCheckpointing& prepared) {
  const workloads::CheckpointWorkload& workload = prepared.workload;
  checkpointing::Arguments arguments;
  arguments.mode = options.common.mode;
  arguments.processes = options.num_processes;
  arguments.checkpoints_to_write = workload.num_checkpoints_write;
  arguments.checkpoints_to_read = workload.num_checkpoints_read;
  arguments.checkpoint_subset = options.checkpoint_subset;
  arguments.allow_invalid_params = options.common.allow_invalid_params;
  arguments.hosts = static_cast<uint32_t>(options.hosts.hosts.size());
  arguments.client_host_memory_gib = options.client_host_memory_gib;
  arguments.accelerator_type = options.accelerator_type;
  arguments.checkpoint_bytes = checkpoint_bytes;
  auto findings = checkpointing::check_arguments(arguments, workload);
  if (options.which == CheckpointingCommand::kRun) {
    for (const std::string& warning : findings.warnings) log::warning("{}", warning);
    if (options.verify && workload.num_checkpoints_read == 0) {
      log::warning("--verify has no effect: no checkpoint is read");
    }
  }
  prepared.is_invalid = findings.is_invalid;
  return std::move(findings.errors);
}

/// Opens the store of the checkpoint folder, and plans how bytes will move.
Status open_folder(const CheckpointingOptions& options, const Environment& environment,
                   PreparedCheckpointing& prepared) {
  // The store is the model's folder: what it lies on, after links and mounts, is what every check asks.
  auto folder = folder_of(options, environment);
  if (!folder) return fail(folder.error());
  if (folder->scheme() != Scheme::kNull) folder = folder->join(options.model);
  if (auto status = check_payload(options, *folder); !status) return status;
  auto store = open_store(*folder, options, environment);
  if (!store) return fail(store.error());
  prepared.store = std::move(*store);

  const auto request = io_limits<io::PlanRequest>(options, prepared.store->traits());
  const auto io = checkpointing::plan_io(prepared.plan, *prepared.store, request);
  if (!io) return fail(io.error());
  prepared.io = *io;

  prepared.details.location = folder->to_string();
  prepared.details.payload = options.payload;
  prepared.details.verify = options.verify;
  prepared.details.store_settings = prepared.store->describe();
  prepared.details.injected_fault = options.inject_fault;
  return {};
}

/// Adds what mlpstorage 3.0 sets itself, in its order: where the checkpoints go, and the grid of a subset, which makes
/// it another class than a full run.
void add_decisions(PreparedCheckpointing& prepared) {
  std::vector<Override> decided;
  const auto set = [&](const char* key, std::string value) {
    decided.push_back({key, std::move(value), ValueSource::kTool});
  };
  if (prepared.store) {
    const std::filesystem::path model_folder = prepared.store->root().path();
    decided = results::storage_parameters(*prepared.store, model_folder.parent_path().string());
  }
  if (prepared.plan.grid == checkpointing::GridMode::kSubset) {
    set("checkpoint.mode", "subset");
    set("model.parallelism.data", std::to_string(prepared.plan.data_parallel));
  }
  const auto is_of_user = [](const Override& known) { return known.source == ValueSource::kUserParams; };
  const auto first_of_user = std::find_if(prepared.overrides.begin(), prepared.overrides.end(), is_of_user);
  decided.insert(decided.end(), prepared.overrides.begin(), first_of_user);  // the counts
  prepared.overrides.erase(prepared.overrides.begin(), first_of_user);
  if (prepared.store) {
    const Location& folder = prepared.store->root();
    set("checkpoint.checkpoint_folder", results::checkpoint_folder_parameter(folder));
  }
  results::set_tool_values(decided, prepared.workload.values);
  prepared.overrides.insert(prepared.overrides.begin(), decided.begin(), decided.end());
}

}  // namespace

tl::expected<PreparedCheckpointing, std::vector<Error>> prepare_checkpointing(const CheckpointingOptions& options,
                                                                              const Environment& environment) {
  std::vector<Error> errors;
  const auto note = [&](const Status& status) {
    if (!status) errors.push_back(status.error());
    return status.has_value();
  };
  PreparedCheckpointing prepared;
  prepared.details.mode = mode_name(options.common.mode);
  errors = check_params(options);
  prepared.overrides = overrides_of(options, errors.empty());
  auto workload = workloads::load_checkpoint_workload(options.model, prepared.overrides);
  if (!workload) {
    errors.push_back(workload.error());
    return tl::unexpected(errors);
  }
  prepared.workload = std::move(*workload);
  auto plan = checkpointing::make_plan(prepared.workload, {options.num_processes, options.size_scale});
  for (Error& error : apply_rules(options, plan ? plan->checkpoint_bytes() : 0, prepared)) {
    errors.push_back(std::move(error));
  }
  if (!plan) {
    errors.push_back(plan.error());
    if (!options.checkpoint_folder.empty()) {
      const auto folder = folder_of(options, environment);
      if (!folder) errors.push_back(folder.error());
    }
    return tl::unexpected(errors);
  }
  prepared.plan = std::move(*plan);
  if (!options.checkpoint_folder.empty()) note(open_folder(options, environment, prepared));
  if (!errors.empty()) return tl::unexpected(errors);
  add_decisions(prepared);
  return prepared;
}

}  // namespace mlps::cli
