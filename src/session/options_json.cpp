#include "session/options_json.hpp"

#include <nlohmann/json.hpp>

namespace mlps::cli {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json params_json(const CommonOptions& common) {
  Json list = Json::array();
  for (const auto& [key, value] : common.params) list.push_back(key + "=" + value);
  return list;
}

void add_head(Json& args, const BenchmarkOptions& options, const char* benchmark, std::string_view command) {
  args["mode"] = mode_name(options.common.mode);
  args["benchmark"] = benchmark;
  args["model"] = options.model;
  args["command"] = command;
  args["hosts"] = options.hosts.hosts;
  args["client_host_memory_in_gb"] = options.client_host_memory_gib;
}

void add_hosts(Json& args, const HostOptions& hosts) {
  args["exec_type"] = hosts.exec_type;
  args["mpi_bin"] = hosts.mpi_bin;
  args["oversubscribe"] = hosts.oversubscribe;
  args["allow_run_as_root"] = hosts.allow_run_as_root;
  args["mpi_btl"] = hosts.mpi_btl;
  args["mpi_params"] = hosts.mpi_params;
}

void add_common(Json& args, const BenchmarkOptions& options) {
  const CommonOptions& common = options.common;
  args["o_direct"] = options.o_direct;
  args["params"] = params_json(common);
  args["results_dir"] = common.results_dir;
  args["systemname"] = common.systemname;
  args["config_file"] = text_or_null(common.config_file);
  args["debug"] = common.debug;
  args["verbose"] = common.verbose;
  args["quiet"] = common.quiet;
  args["dry_run"] = common.dry_run;
  args["verify_lockfile"] = text_or_null(common.verify_lockfile);
  args["skip_validation"] = common.skip_validation;
  args["skip_fs_separation_gate"] = common.skip_fs_separation_gate;
  if (options.protocol) args["data_access_protocol"] = protocol_name(options);
  args["loops"] = common.loops;
  args["allow_invalid_params"] = common.allow_invalid_params;
  args["orgname"] = common.orgname;
}

void add_ours(Json& args, const BenchmarkOptions& options) {
  args["timeseries_interval"] = options.timeseries_interval_s;
  args["skip_timeseries"] = options.skip_timeseries;
  args["max_timeseries_samples"] = options.max_timeseries_samples;
  args["verify"] = options.verify;
  args["seed"] = options.seed ? Json(*options.seed) : Json(nullptr);
  args["io_workers"] = options.io_workers ? Json(*options.io_workers) : Json(nullptr);
  args["io_depth"] = options.io_depth ? Json(*options.io_depth) : Json(nullptr);
  args["io_part_bytes"] = options.io_part_bytes;
  args["io_memory_bytes"] = options.io_memory_bytes;
  args["fadvise"] = storage::fadvise_name(options.fadvise);
  args["inject_fault"] = text_or_null(options.inject_fault);
}

}  // namespace

std::string options_json(const CheckpointingOptions& options) {
  Json args;
  add_head(args, options, "checkpointing", command_name(options.command));
  args["num_processes"] = options.num_processes;
  args["accelerator_type"] = text_or_null(options.accelerator_type);
  add_hosts(args, options.hosts);
  args["checkpoint_folder"] = text_or_null(options.checkpoint_folder);
  args["num_checkpoints_write"] = options.num_checkpoints_write;
  args["num_checkpoints_read"] = options.num_checkpoints_read;
  args["checkpoint_subset"] = options.checkpoint_subset;
  add_common(args, options);
  args["size_scale"] = options.size_scale;
  args["payload"] = options.payload == PayloadChoice::kNone ? "none" : "unique";
  add_ours(args, options);
  return args.dump();
}

std::string options_json(const TrainingOptions& options) {
  Json args;
  add_head(args, options, "training", command_name(options.command));
  switch (options.command) {
    case TrainingCommand::kDatasize:
      args["max_accelerators"] = options.processes;
      break;
    case TrainingCommand::kDatagen:
      break;
    case TrainingCommand::kRun:
    case TrainingCommand::kConfigview:
      args["num_accelerators"] = options.processes;
      break;
  }
  args["num_processes"] = options.processes;
  args["accelerator_type"] = text_or_null(options.accelerator_type);
  args["num_client_hosts"] = options.num_client_hosts;
  add_hosts(args, options.hosts);
  args["data_dir"] = text_or_null(options.data_dir);
  args["drop_caches_timeout_seconds"] = options.drop_caches_timeout_s;
  add_common(args, options);
  args["read_ahead_bytes"] = options.read_ahead_bytes;
  args["workload_file"] = text_or_null(options.workload_file);
  add_ours(args, options);
  return args.dump();
}

}  // namespace mlps::cli
