#include "results/findings.hpp"

#include <fmt/format.h>

#include "world/archive.hpp"

namespace mlps::world {

template <class Archive, Is<MovedBytes> M>
void fields(Archive& archive, M& moved) {
  archive(moved.read, moved.written);
}

template <class Archive, Is<CrossCheck> C>
void fields(Archive& archive, C& check) {
  archive(check.result, check.claimed, check.counted, check.counters, check.text);
}

}  // namespace mlps::world

namespace mlps::results {
namespace {

constexpr const char* kPackedFindings = "check of counters";

Json moved_json(const std::optional<world::MovedBytes>& moved) {
  if (!moved) return nullptr;
  return {{"read_bytes", moved->read}, {"written_bytes", moved->written}};
}

Json check_json(const HostCheck& host) {
  Json json;
  json["host"] = host.host;
  if (!host.check) {
    json["result"] = "not_made";
    json["text"] = host.no_check_because;
    return json;
  }
  const world::CrossCheck& check = *host.check;
  json["result"] = world::check_result_name(check.result);
  json["warning"] = check.warns();
  json["text"] = check.text;
  json["counters"] = check.counters;
  json["claimed"] = moved_json(check.claimed);
  json["counted"] = moved_json(check.counted);
  return json;
}

}  // namespace

Json time_series_data_json(const HostFindings& findings) {
  if (!findings.series) return nullptr;
  Json json;
  json["file"] = findings.series->name;
  json["num_samples"] = findings.series->samples;
  json["interval_seconds"] = findings.series->interval_s;
  json["hosts_collected"] = findings.series->hosts;
  return json;
}

void add_findings(Json& record, const std::optional<RunOutcome>& outcome) {
  record["time_series"] = nullptr;
  record["cross_check"] = nullptr;
  if (!outcome) return;
  const HostFindings& findings = outcome->findings;
  record["time_series"] = time_series_data_json(findings);
  if (!findings.series) record["time_series"] = {{"file", nullptr}, {"reason", findings.no_series_because}};
  record["cross_check"] = Json::array();
  for (const HostCheck& check : findings.checks) record["cross_check"].push_back(check_json(check));
}

std::string findings_text(const HostFindings& findings) {
  const bool says_whose = findings.checks.size() > 1;
  std::string text;
  for (const HostCheck& host : findings.checks) {
    if (!host.check || !host.check->warns()) continue;
    text += fmt::format("Cross-check{}: {}\n", says_whose ? " of " + host.host : "", host.check->text);
  }
  return text;
}

template <class Archive, world::Is<HostCheck> H>
void fields(Archive& archive, H& host) {
  archive(host.host, host.check, host.no_check_because);
}

world::Bytes pack(const HostCheck& check) {
  return world::pack(kPackedFindings, check);
}

Result<HostCheck> unpack_check(const std::string& whose, std::string_view bytes) {
  auto host = world::unpack<HostCheck>(kPackedFindings, whose, bytes);
  if (host && host->check && host->check->result > world::CheckResult::kNothingMoved) {
    return world::unusable(kPackedFindings, whose);
  }
  return host;
}

}  // namespace mlps::results
