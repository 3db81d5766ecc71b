#include "results/metadata.hpp"

#include "results/config_json.hpp"
#include "results/findings.hpp"
#include "results/host_json.hpp"
#include "results/provenance.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

using run::Verdict;

constexpr int kMetadataIndent = 2;

// A word as a POSIX shell would have to be given it.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=-:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_line(const RunContext& context) {
  std::string line;
  for (const std::string& word : without_secrets(context.argv)) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

// mlpstorage 3.0 judges no run of whatif, and of training only what measures.
Json verification_json(const RunContext& context, const RunFacts& facts) {
  if (context.mode == "whatif" || context.command != "run" || context.verification.empty()) return nullptr;
  const bool counts =
      facts.verdict == Verdict::kPassed && facts.caveats.empty() && no_result_because(context, facts).empty();
  return counts ? context.verification : "INVALID";
}

Json snapshots_json(const RunContext& context, const RunOutcome& outcome) {
  Json json;
  const char* method = collection_method(context.members.size());
  const std::vector<HostView> ends = hosts_at_end(context, outcome);
  json["start"] = system_info_json(hosts_at_start(context), method);
  json["end"] = ends.empty() ? Json() : system_info_json(ends, method);
  json["collection_method"] = method;
  return json;
}

std::string log_path(const RunContext& context, const char* stream) {
  return context.folder + "/" + log_name(context, stream);
}

// The keys about hosts: mlpstorage 3.0 collects nothing for the writing of a data set.
void add_hosts(Json& json, const RunContext& context, const RunOutcome& outcome) {
  json["system_info"] = nullptr;
  if (context.command == "datagen") return;
  json["system_info"] = system_info_json(hosts_at_start(context), collection_method(context.members.size()));
  json["cluster_snapshots"] = snapshots_json(context, outcome);
}

// The keys about the launched command: datasize launches nothing.
void add_command(Json& json, const RunContext& context) {
  json["executed_command"] = nullptr;
  json["command_output_files"] = Json::array();
  if (context.command == "datasize") return;
  const std::string command = command_line(context);
  json["executed_command"] = command;
  json["command_output_files"].push_back(
      {{"command", command}, {"stdout", log_path(context, "stdout")}, {"stderr", log_path(context, "stderr")}});
}

}  // namespace

std::string log_name(const RunContext& context, const char* stream) {
  return context.benchmark + "_" + context.command + "." + stream + ".log";
}

std::string metadata_text(const RunContext& context, const RunFacts& facts, const RunOutcome& outcome) {
  Json json;
  json["benchmark_type"] = context.benchmark;
  json["model"] = context.model;
  json["command"] = context.command;
  json["run_datetime"] = context.run_datetime;
  json["num_processes"] = context.processes;
  json["accelerator"] = context.accelerator ? Json(*context.accelerator) : Json();
  json["result_dir"] = context.folder;
  json["parameters"] = parameters_json(context, false);
  json["override_parameters"] = override_parameters_json(context);
  add_hosts(json, context, outcome);
  if (outcome.findings.series) json["timeseries_data"] = time_series_data_json(outcome.findings);
  json["runtime"] = seconds_between(facts.run_start, facts.run_end);
  json["verification"] = verification_json(context, facts);
  add_command(json, context);
  json["args"] = args_json(context);
  json["invocation_start_time"] = iso_local(facts.invocation_start.wall_us);
  json["invocation_end_time"] = iso_local(outcome.invocation_end.wall_us);
  json["exit_status"] = outcome.exit_status;
  json["provenance_file"] = kProvenanceFile;
  if (!context.manifest_snapshot.empty()) json["datagen_manifest_file"] = kManifestSnapshotFile;
  json["verdict"] = std::string(run::verdict_name(facts.verdict));
  json["reasons"] = facts.reasons;
  json["caveats"] = facts.caveats;
  json["error"] = error_json(facts.error);
  json["no_result_because"] = no_result_because(context, facts);
  json["tool"] = tool_json(context, facts);
  mask_secrets(json["reasons"]);
  return indented(json, kMetadataIndent);
}

std::string separation_text(const gates::SeparationFinding& finding) {
  Json json;
  json["version"] = 1;
  json["method"] = "link_exdev";  // the one word that readers know; the gate asks the kernel, and links nothing
  json["data_or_chkpt_path"] = finding.checkpoint_path;
  json["results_path"] = finding.results_path;
  json["data_or_chkpt_realpath"] = finding.checkpoint_realpath;
  json["results_realpath"] = finding.results_realpath;
  json["same_filesystem"] = finding.same_filesystem;
  json["probed_at"] = finding.probed_at;
  json["probed_by_rank"] = 0;
  json["probed_by_host"] = finding.probed_by_host;
  return indented(json, kMetadataIndent);
}

}  // namespace mlps::results
