#include "results/findings.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "world/packet.hpp"

namespace mlps::results {
namespace {

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

void pack(world::Packer& out, const world::MovedBytes& moved) {
  out.number(moved.read).number(moved.written);
}

world::MovedBytes unpack_moved(world::Unpacker& in) {
  world::MovedBytes moved;
  moved.read = in.number();
  moved.written = in.number();
  return moved;
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

world::Bytes pack(const HostCheck& host) {
  world::Packer out;
  out.text(host.host).text(host.no_check_because).number(host.check ? 1 : 0);
  if (!host.check) return out.take();
  const world::CrossCheck& check = *host.check;
  out.number(static_cast<uint64_t>(check.result)).text(check.counters).text(check.text);
  pack(out, check.claimed);
  out.number(check.counted ? 1 : 0);
  if (check.counted) pack(out, *check.counted);
  return out.take();
}

Result<HostCheck> unpack_check(std::string_view bytes) {
  world::Unpacker in(bytes);
  HostCheck host;
  host.host = in.text();
  host.no_check_because = in.text();
  uint64_t result = 0;
  if (in.number() != 0) {
    world::CrossCheck& check = host.check.emplace();
    result = in.number();
    check.counters = in.text();
    check.text = in.text();
    check.claimed = unpack_moved(in);
    if (in.number() != 0) check.counted = unpack_moved(in);
  }
  if (!in.good() || !in.empty() || result > static_cast<uint64_t>(world::CheckResult::kNothingMoved)) {
    return fail(ErrorCode::kMpiCommunication, "what a host says of its counters is damaged", {},
                "every host must run the same build of mlpstorage");
  }
  if (host.check) host.check->result = static_cast<world::CheckResult>(result);
  return host;
}

}  // namespace mlps::results
