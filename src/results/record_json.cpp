#include <nlohmann/json.hpp>

#include "checkpointing/metrics.hpp"
#include "results/checkpoint_views.hpp"
#include "results/config_json.hpp"
#include "results/host_json.hpp"
#include "results/record_parts.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using checkpointing::Phase;
using checkpointing::RunRecord;

constexpr const char* kRecordSchema = "mlpstorage.record/1";
constexpr const char* kPlanSchema = "mlpstorage.plan/1";

Json invocation_json(const RunContext& context, const std::optional<RunOutcome>& outcome) {
  Json json;
  json["mode"] = context.mode;
  json["benchmark"] = "checkpointing";
  json["command"] = context.command;
  json["protocol"] = context.protocol;
  json["model"] = context.workload.cli_name;
  json["orgname"] = context.orgname;
  json["systemname"] = context.systemname;
  json["accelerator"] = context.accelerator ? Json(*context.accelerator) : Json();
  json["client_host_memory_gib"] = context.client_host_memory_gib ? Json(*context.client_host_memory_gib) : Json();
  json["hostname"] = context.hostname;
  json["hosts"] = context.hosts;
  json["run_datetime"] = context.run_datetime;
  json["run_folder"] = context.folder;
  json["argv"] = without_secrets(context.argv);
  json["args"] = args_json(context);
  json["exit_status"] = outcome ? Json(outcome->exit_status) : Json();
  return json;
}

Json moment(const Stamp& stamp) {
  return stamp.wall_us == 0 ? Json() : Json(iso_utc_us(stamp.wall_us));
}

Json time_json(const RunRecord& record, const std::optional<RunOutcome>& outcome) {
  const Stamp end = outcome ? outcome->invocation_end : Stamp{};
  Json json;
  json["invocation_start_utc"] = moment(record.invocation_start);
  json["run_start_utc"] = moment(record.run_start);
  json["run_end_utc"] = moment(record.run_end);
  json["invocation_end_utc"] = moment(end);
  json["first_byte_s"] = record.first_byte_s;
  json["run_s"] = seconds_between(record.run_start, record.run_end);
  json["invocation_s"] = seconds_between(record.invocation_start, end);
  return json;
}

Json store_json(const RunRecord& record) {
  Json json;
  json["location"] = without_secrets(std::string_view(record.location));
  json["backend"] = std::string(record.traits.backend);
  json["blocking"] = record.traits.blocking;
  json["file_system"] = record.traits.file_system;
  json["holds_objects"] = record.traits.holds_objects;
  json["buffer_alignment_bytes"] = record.traits.buffer_alignment;
  json["settings"] = settings_json(record.store_settings);
  json["injected_fault"] = record.injected_fault.empty() ? Json() : Json(record.injected_fault);
  return json;
}

Json payload_json(const RunRecord& record) {
  return {{"mode", payload_mode_name(record.payload)},
          {"layer", record.payload_layer},
          {"seed", record.seed},
          {"verify", record.verify}};
}

Json host_facts_json(const RunContext& context, const std::optional<RunOutcome>& outcome) {
  Json json;
  json["start"] = host_json(context.host);
  json["end"] = outcome && outcome->host ? host_json(*outcome->host) : Json();
  return json;
}

// A passed verdict is only believed from a run that came to its end.
checkpointing::Verdict final_verdict(const RunRecord& record, const std::optional<RunOutcome>& outcome) {
  return outcome ? record.verdict : checkpointing::Verdict::kIncomplete;
}

}  // namespace

std::string record_json(const RunContext& context, const RunRecord& record, const std::optional<RunOutcome>& outcome) {
  Json json;
  json["schema"] = kRecordSchema;
  json["tool"] = {{"name", "mlpstorage"}, {"version", context.tool_version}};
  json["verdict"] = std::string(checkpointing::verdict_name(final_verdict(record, outcome)));
  json["reasons"] = record.reasons;
  json["error"] = error_json(record.error);
  json["warnings"] = outcome ? Json(outcome->warnings) : Json::array();
  json["invocation"] = invocation_json(context, outcome);
  json["time"] = time_json(record, outcome);
  json["configuration"] = configuration_json(context);
  json["plan"] = plan_summary_json(context.workload, record.plan, context.mode);
  json["plan"]["ranks"] = plan_ranks_json(record.plan);
  json["io_plan"] = io_plan_json(record.io);
  json["store"] = store_json(record);
  json["payload"] = payload_json(record);
  json["eviction"] = record.eviction;
  json["peak_rss_bytes"] = record.peak_rss_bytes;
  json["write"] = phase_json(record, Phase::kWrite);
  json["read"] = phase_json(record, Phase::kRead);
  json["events"] = events_json(record);
  json["host"] = host_facts_json(context, outcome);
  mask_secrets(json["reasons"]);
  mask_secrets(json["warnings"]);
  return compact_rows(json);
}

std::string plan_json(const workloads::CheckpointWorkload& workload, const checkpointing::CheckpointPlan& plan,
                      const std::optional<checkpointing::IoPlan>& io, const PlanDetails& details) {
  Json json;
  json["schema"] = kPlanSchema;
  json.update(plan_summary_json(workload, plan, details.mode));
  json["location"] = details.location.empty() ? Json() : Json(without_secrets(std::string_view(details.location)));
  json["payload"] = details.payload ? Json(payload_mode_name(*details.payload)) : Json();
  json["verify"] = details.verify ? Json(*details.verify) : Json();
  json["store_settings"] = settings_json(details.store_settings);
  json["injected_fault"] = details.injected_fault.empty() ? Json() : Json(details.injected_fault);
  json["io_plan"] = io_plan_json(io);
  json["ranks"] = plan_ranks_json(plan);
  return compact_rows(json);
}

}  // namespace mlps::results
