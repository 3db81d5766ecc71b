#include "results/record_common.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/version.hpp"
#include "results/config_json.hpp"
#include "results/fields_json.hpp"
#include "results/host_json.hpp"
#include "results/redact.hpp"
#include "results/run_hosts.hpp"

namespace mlps::results {
namespace {

Json invocation_json(const RunContext& context, const std::optional<RunOutcome>& outcome) {
  Json json;
  json["mode"] = context.mode;
  json["benchmark"] = context.benchmark;
  json["command"] = context.command;
  json["protocol"] = context.protocol;
  json["model"] = context.model;
  json["orgname"] = context.orgname;
  json["systemname"] = context.systemname;
  json["label"] = context.label.empty() ? Json() : Json(context.label);
  json["accelerator"] = context.accelerator ? Json(*context.accelerator) : Json();
  json["client_host_memory_gib"] = context.client_host_memory_gib ? Json(*context.client_host_memory_gib) : Json();
  json["hostname"] = context.members.front().host;
  json["hosts"] = context.hosts;
  json["run_datetime"] = context.run_datetime;
  json["run_folder"] = context.folder;
  json["argv"] = without_secrets(context.argv);
  json["args"] = args_json(context);
  json["exit_status"] = outcome ? Json(outcome->exit_status) : Json();
  return json;
}

// Null where a time was not taken: no measured one is 0.
Json measured(double seconds) {
  return seconds > 0 ? Json(seconds) : Json();
}

Json moment(const Stamp& stamp) {
  return stamp.wall_us == 0 ? Json() : Json(iso_utc_us(stamp.wall_us));
}

Json time_json(const RunFacts& facts, const std::optional<RunOutcome>& outcome) {
  const Stamp end = outcome ? outcome->invocation_end : Stamp{};
  Json json;
  json["invocation_start_utc"] = moment(facts.invocation_start);
  json["run_start_utc"] = moment(facts.run_start);
  json["run_end_utc"] = moment(facts.run_end);
  json["invocation_end_utc"] = moment(end);
  json["first_byte_s"] = measured(facts.first_byte_s);
  json["barrier_cost_s"] = measured(to_seconds(facts.barrier_cost_ns));
  json["run_s"] = measured(seconds_between(facts.run_start, facts.run_end));
  json["invocation_s"] = measured(seconds_between(facts.invocation_start, end));
  return json;
}

// Returns what a process did, or null if it is not in the record.
Json part_json(const std::vector<run::HostPart>& parts, size_t process) {
  const auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& each) { return each.process == process; });
  if (part == parts.end()) return nullptr;
  Json json = fields_json(*part);
  json["first_byte_s"] = measured(part->first_byte_s);
  return json;
}

// A passed verdict is only believed from a run that came to its end.
run::Verdict final_verdict(const RunFacts& facts, const std::optional<RunOutcome>& outcome) {
  return outcome ? facts.verdict : run::Verdict::kIncomplete;
}

// The engine of the store, or its kind where that has but one.
Json io_engine_json(const RunFacts& facts) {
  const auto engine = std::find_if(facts.store_settings.begin(), facts.store_settings.end(),
                                   [](const auto& setting) { return setting.first == "engine"; });
  if (engine != facts.store_settings.end()) return engine->second;
  return facts.traits.backend.empty() ? Json() : Json(facts.traits.backend);
}

}  // namespace

std::vector<std::string> no_result_because(const RunContext& context, const RunFacts& facts) {
  std::vector<std::string> reasons = context.no_result_because;
  reasons.insert(reasons.end(), facts.caveats.begin(), facts.caveats.end());
  if (!facts.traits.holds_objects) reasons.emplace_back("null:// keeps nothing: no storage was measured");
  if (!facts.injected_fault.empty()) reasons.push_back("faults were injected: " + facts.injected_fault);
  return reasons;
}

std::string no_result_text(const RunContext& context, const RunFacts& facts) {
  std::string text;
  for (const std::string& reason : no_result_because(context, facts)) {
    // Caveats stand with the verdict.
    if (std::find(facts.caveats.begin(), facts.caveats.end(), reason) != facts.caveats.end()) continue;
    text += fmt::format("***  no result of a storage system: {}  ***\n", reason);
  }
  return text;
}

Json tool_json(const RunContext& context, const RunFacts& facts) {
  return {{"name", "mlpstorage"},
          {"version", context.tool_version},
          {"commit", std::string(build_id())},
          {"binary_id", binary_id()},
          {"compiler", std::string(compiler())},
          {"mpi", context.mpi_library.empty() ? Json() : Json(context.mpi_library)},
          {"io_engine", io_engine_json(facts)}};
}

Json error_json(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"code", code_name(error->code)},
          {"message", without_secrets(message_with_host(*error))},
          {"details", without_secrets(std::string_view(error->details))},
          {"suggestion", without_secrets(std::string_view(error->suggestion))}};
}

Json histogram_json(const Histogram& histogram) {
  const auto known = [&](auto value) { return histogram.count() == 0 ? Json() : Json(value); };
  Json largest = Json::array(), counts = Json::array();
  for (const Histogram::State::Bucket& bucket : histogram.state().buckets) {
    largest.push_back(Histogram::largest_of(bucket.index));
    counts.push_back(bucket.count);
  }
  return {{"count", histogram.count()},
          {"mean_ns", known(histogram.mean())},
          {"min_ns", known(histogram.min())},
          {"p50_ns", known(histogram.percentile(0.50))},
          {"p90_ns", known(histogram.percentile(0.90))},
          {"p95_ns", known(histogram.percentile(0.95))},
          {"p99_ns", known(histogram.percentile(0.99))},
          {"p999_ns", known(histogram.percentile(0.999))},
          {"max_ns", known(histogram.max())},
          {"bucket_ns", std::move(largest)},
          {"bucket_count", std::move(counts)}};
}

Json settings_json(const std::vector<std::pair<std::string, std::string>>& settings) {
  Json json = Json::object();
  for (const auto& [name, value] : settings) json[name] = masked_value(name, value);
  return json;
}

double seconds_between(const Stamp& start, const Stamp& end) {
  return end.monotonic_ns > start.monotonic_ns ? to_seconds(end.monotonic_ns - start.monotonic_ns) : 0;
}

Json summary_head(const RunContext& context, const RunFacts& facts) {
  Json json;
  json["start"] = iso_local(facts.run_start.wall_us);
  json["end"] = iso_local(facts.run_end.wall_us);
  json["num_accelerators"] = context.processes;
  json["num_hosts"] = hosts_of(context).size();
  json["hostname"] = context.members.front().host;
  const std::vector<std::string> reasons = no_result_because(context, facts);
  if (!reasons.empty()) json["no_result_because"] = reasons;
  return json;
}

std::string verdict_text(const RunFacts& facts) {
  std::string text = fmt::format("Verdict: {}", run::verdict_name(facts.verdict));
  text += facts.caveats.empty() ? "\n" : ", but the number is not about the storage\n";
  for (const std::string& caveat : facts.caveats) text += "  - " + caveat + '\n';
  if (facts.verdict == run::Verdict::kPassed) return text;
  for (const std::string& reason : facts.reasons) {
    // The first error follows in full.
    const bool is_error = facts.error && reason.find(facts.error->message) != std::string::npos;
    if (!is_error) text += "  - " + without_secrets(std::string_view(reason)) + '\n';
  }
  if (facts.error) text += without_secrets(std::string_view(render(*facts.error))) + '\n';
  return text;
}

std::string no_metric_block(const RunFacts& facts, int64_t wall_us) {
  std::string text = fmt::format("[ERROR] {} The run's verdict is '{}': no metric\n", iso_local(wall_us),
                                 run::verdict_name(facts.verdict));
  for (const std::string& reason : facts.reasons) {
    text += fmt::format("[ERROR] {} {}\n", iso_local(wall_us), without_secrets(std::string_view(reason)));
  }
  return text;
}

Json store_json(const RunFacts& facts) {
  Json json;
  json["location"] = without_secrets(std::string_view(facts.location));
  json["backend"] = std::string(facts.traits.backend);
  json["blocking"] = facts.traits.blocking;
  json["file_system"] = facts.traits.file_system;
  json["holds_objects"] = facts.traits.holds_objects;
  json["buffer_alignment_bytes"] = facts.traits.buffer_alignment;
  json["settings"] = settings_json(facts.store_settings);
  json["injected_fault"] = facts.injected_fault.empty() ? Json() : Json(facts.injected_fault);
  return json;
}

Json record_head(const char* schema, const RunContext& context, const RunFacts& facts,
                 const std::optional<RunOutcome>& outcome) {
  Json json;
  json["schema"] = schema;
  json["tool"] = tool_json(context, facts);
  json["verdict"] = std::string(run::verdict_name(final_verdict(facts, outcome)));
  json["reasons"] = facts.reasons;
  json["caveats"] = facts.caveats;
  json["error"] = error_json(facts.error);
  json["no_result_because"] = no_result_because(context, facts);
  json["warnings"] = outcome ? Json(outcome->warnings) : Json::array();
  json["invocation"] = invocation_json(context, outcome);
  json["time"] = time_json(facts, outcome);
  json["configuration"] = configuration_json(context);
  mask_secrets(json["reasons"]);
  mask_secrets(json["warnings"]);
  return json;
}

Json members_json(const RunContext& context, const RunFacts& facts, const std::optional<RunOutcome>& outcome) {
  Json members = Json::array();
  for (size_t process = 0; process < context.members.size(); ++process) {
    const RunMember& member = context.members[process];
    const bool ended = outcome && process < outcome->host_ends.size() && outcome->host_ends[process];
    Json& json = members.push_back({});
    json["host"] = member.host;
    json["process"] = process;
    json["pid"] = member.pid;
    json["first_rank"] = member.first_rank;
    json["ranks"] = member.ranks;
    json["clock"] = fields_json(member.clock);
    json["part"] = part_json(facts.hosts, process);
    json["start"] = host_json({member.host, &member.facts});
    json["end"] = ended ? host_json({member.host, &*outcome->host_ends[process]}) : Json();
  }
  return members;
}

}  // namespace mlps::results
