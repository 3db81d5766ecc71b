#include "session/options_json.hpp"

#include <filesystem>

namespace mlps::cli {
namespace {

Json params_json(const CommonOptions& common) {
  Json list = Json::array();
  for (const auto& [key, value] : common.params) list.push_back(key + "=" + value);
  return list;
}

}  // namespace

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json options_head(const BenchmarkOptions& options) {
  Json args;
  args["mode"] = mode_name(options.common.mode);
  args["benchmark"] = options.benchmark;
  args["model"] = options.model;
  args["command"] = options.command;
  args["hosts"] = options.hosts.hosts;
  args["client_host_memory_in_gb"] = options.client_host_memory_gib;
  return args;
}

void add_hosts(Json& args, const HostOptions& hosts) {
  args["exec_type"] = hosts.exec_type;
  args["mpi_bin"] = hosts.mpi_bin;
  args["oversubscribe"] = hosts.oversubscribe;
  args["allow_run_as_root"] = hosts.allow_run_as_root;
  args["mpi_btl"] = hosts.mpi_btl;
  args["mpi_params"] = hosts.mpi_params.empty() ? Json() : Json(hosts.mpi_params);
}

void add_common(Json& args, const BenchmarkOptions& options) {
  const CommonOptions& common = options.common;
  args["dlio_bin_path"] = nullptr;  // of mlpstorage 3.0: DLIO is no program of its own here
  args["o_direct"] = options.o_direct;
  args["params"] = params_json(common);
  args["results_dir"] = std::filesystem::absolute(common.results_dir).lexically_normal().string();
  args["systemname"] = common.systemname;
  args["config_file"] = text_or_null(common.config_file);
  args["debug"] = common.debug;
  args["verbose"] = common.verbose;
  args["stream_log_level"] = nullptr;  // of mlpstorage 3.0; this program has no such flag
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

void add_own_flags(Json& args, const BenchmarkOptions& options) {
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

}  // namespace mlps::cli
