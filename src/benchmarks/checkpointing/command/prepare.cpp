#include "benchmarks/checkpointing/command/prepare.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "benchmarks/checkpointing/argument_rules.hpp"
#include "benchmarks/checkpointing/io_plan.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

using workloads::Override;
using workloads::ValueSource;

// A parameter may not say differently what flags decide.
Status check_params(const CommonOptions& common) {
  for (const auto& [key, value] : common.params) {
    if (key == "checkpoint.checkpoint_folder" || key.rfind("storage.", 0) == 0) {
      return fail(ErrorCode::kConfigIncompatible, fmt::format("--params {}={} can't be honoured", key, value), {},
                  "--checkpoint-folder alone says where checkpoints go, and the folder's scheme how they get there");
    }
  }
  return {};
}

std::vector<Override> overrides_of(const CheckpointingOptions& options) {
  std::vector<Override> overrides;
  overrides.push_back(
      {"checkpoint.num_checkpoints_read", std::to_string(options.num_checkpoints_read), ValueSource::kTool});
  overrides.push_back(
      {"checkpoint.num_checkpoints_write", std::to_string(options.num_checkpoints_write), ValueSource::kTool});
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
std::vector<Error> apply_rules(const CheckpointingOptions& options, const workloads::CheckpointWorkload& workload,
                               uint64_t checkpoint_bytes) {
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
  }
  return std::move(findings.errors);
}

/// Opens the store of the checkpoint folder, and plans how bytes will move.
Status open_folder(const CheckpointingOptions& options, const Environment& environment,
                   PreparedCheckpointing& prepared) {
  const auto folder = folder_of(options, environment);
  if (!folder) return fail(folder.error());
  if (auto status = check_payload(options, *folder); !status) return status;
  auto store = open_store(*folder, options, environment);
  if (!store) return fail(store.error());
  prepared.store = std::move(*store);

  const auto request = io_limits<checkpointing::IoRequest>(options);
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
  prepared.overrides = overrides_of(options);
  note(check_params(options.common));
  auto workload = workloads::load_checkpoint_workload(options.model, prepared.overrides);
  if (!workload) {
    errors.push_back(workload.error());
    return tl::unexpected(errors);
  }
  prepared.workload = std::move(*workload);
  auto plan = checkpointing::make_plan(prepared.workload, {options.num_processes, options.size_scale});
  for (Error& error : apply_rules(options, prepared.workload, plan ? plan->checkpoint_bytes() : 0)) {
    errors.push_back(std::move(error));
  }
  if (!plan) {
    errors.push_back(plan.error());
    // Without a plan no store is opened, but its folder can be looked at.
    if (!options.checkpoint_folder.empty()) {
      if (const auto folder = folder_of(options, environment); !folder) errors.push_back(folder.error());
    }
    return tl::unexpected(errors);
  }
  prepared.plan = std::move(*plan);
  if (!options.checkpoint_folder.empty()) note(open_folder(options, environment, prepared));
  if (!errors.empty()) return tl::unexpected(errors);
  return prepared;
}

}  // namespace mlps::cli
