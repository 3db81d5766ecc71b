
#include "benchmarks/checkpointing/results/record_parts.hpp"
#include "benchmarks/checkpointing/results/views.hpp"
#include "results/findings.hpp"
#include "results/redact.hpp"

namespace mlps::results {
namespace {

using checkpointing::Phase;
using checkpointing::RunRecord;

Json payload_json(const RunRecord& record) {
  return {{"mode", payload_mode_name(record.payload)},
          {"layer", record.payload_layer},
          {"seed", record.seed},
          {"verify", record.verify}};
}

}  // namespace

std::string record_json(const CheckpointContext& context, const RunRecord& record,
                        const std::optional<RunOutcome>& outcome) {
  Json json = record_head(kRecordSchema, context, record, outcome);
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
  json["hosts"] = members_json(context, record, outcome);
  add_findings(json, outcome);
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
