#include "results/time_series.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "results/host_json.hpp"

namespace mlps::results {
namespace {

constexpr const char* kCollectionMethod = "local";

// UTF-8 or not, a device's name must not stop the file.
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json counters_json(const world::NamedCounters& counters) {
  // Hundreds of names, thousands of times: operator[] would look for each among those before it.
  Json::object_t members;
  for (size_t i = 0; i < counters.values.size(); ++i) {
    members.push_back({(*counters.names)[i], counters.values[i]});
  }
  return members;
}

// In seconds: ticks are a unit of the kernel's.
Json cpu_json(const world::CpuCounters& cpu) {
  Json json;
  const auto& names = world::cpu_counter_names();
  const auto per_second = static_cast<double>(world::ticks_per_second());
  for (size_t i = 0; i < names.size(); ++i) {
    json[std::string(names[i]) + "_s"] = static_cast<double>(cpu.ticks[i]) / per_second;
  }
  return json;
}

Json head_json(const world::TimeSeries& series) {
  Json json;
  json["collection_interval_seconds"] = series.interval_s;
  json["start_time"] = iso_utc_us(series.samples.front().at.wall_us);
  json["end_time"] = iso_utc_us(series.samples.back().at.wall_us);
  json["num_samples"] = series.samples.size();
  return json;
}

Json tail_json(const RunContext& context, const world::TimeSeries& series) {
  Json json;
  json["collection_method"] = kCollectionMethod;
  json["hosts_requested"] = context.hosts;
  json["hosts_collected"] = Json::array({series.hostname});
  json["requested_interval_seconds"] = series.requested_interval_s;
  json["samples_taken"] = series.samples_taken;
  json["mean_sample_cpu_us"] = static_cast<double>(series.cost_ns) / 1e3 / static_cast<double>(series.samples_taken);
  if (series.interval_s > series.requested_interval_s) {
    json["note"] =
        "more samples than are kept: every second one was dropped and the interval doubled, as often as needed";
  }
  return json;
}

// The members of an object, without its braces.
std::string members(const Json& json) {
  const std::string text = dumped(json);
  return text.substr(1, text.size() - 2);
}

Status write_text(const RunContext& context, const world::TimeSeries& series, const Sink& sink) {
  std::string text = "{" + members(head_json(series)) + ",\n\"samples_by_host\":{" + dumped(series.hostname) + ":[";
  for (size_t i = 0; i < series.samples.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + dumped(sample_json(series.hostname, series.samples[i]));
    if (Status status = sink(text); !status) return status;
    text.clear();
  }
  return sink(text + "\n]},\n" + members(tail_json(context, series)) + "}\n");
}

Json moved_json(const std::optional<world::MovedBytes>& moved) {
  if (!moved) return nullptr;
  return {{"read_bytes", moved->read}, {"written_bytes", moved->written}};
}

Json check_json(const HostFindings& findings) {
  if (!findings.check) return {{"result", "not_made"}, {"text", findings.no_check_because}};
  const world::CrossCheck& check = *findings.check;
  Json json;
  json["result"] = world::check_result_name(check.result);
  json["warning"] = check.warns();
  json["text"] = check.text;
  json["counters"] = check.counters;
  json["claimed"] = moved_json(check.claimed);
  json["counted"] = moved_json(check.counted);
  return json;
}

}  // namespace

Json sample_json(const std::string& hostname, const world::HostSample& sample) {
  Json json;
  json["timestamp"] = iso_utc_us(sample.at.wall_us);
  json["hostname"] = hostname;
  const auto was_read = [&](const char* member) {
    return std::none_of(sample.errors.begin(), sample.errors.end(),
                        [member](const auto& error) { return error.first == member; });
  };
  if (was_read("diskstats")) json["diskstats"] = disks_json(sample.disks);
  if (sample.vmstat.names) json["vmstat"] = counters_json(sample.vmstat);
  if (sample.meminfo.names) json["meminfo"] = counters_json(sample.meminfo);
  if (sample.load) json["loadavg"] = load_json(*sample.load);
  if (was_read("netdev")) json["netdev"] = network_json(sample.network);
  if (sample.cpu) json["cpu"] = cpu_json(*sample.cpu);
  json["process"] = {{"cpu_user_s", sample.process.cpu_user_s},
                     {"cpu_system_s", sample.process.cpu_system_s},
                     {"rss_bytes", sample.process.rss_bytes}};
  for (const auto& [member, why] : sample.errors) json["errors"][member] = why;
  return json;
}

Result<TimeSeriesFile> write_time_series(const RunFolder& folder, const RunContext& context,
                                         const world::TimeSeries& series) {
  TimeSeriesFile file;
  file.name = context.benchmark + "_" + context.run_datetime + "_timeseries.json";
  file.samples = series.samples.size();
  file.interval_s = series.interval_s;
  file.hosts = {series.hostname};
  const std::string path = folder.path + "/" + file.name;
  try {
    const Status written = write_file_piecewise(
        path, [&](const Sink& sink) { return write_text(context, series, sink); }, Durability::kRenamed);
    if (!written) return fail(written.error());
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, "write " + path + ": " + error.what());
  }
  return file;
}

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
  record["cross_check"] = check_json(findings);
}

std::string findings_text(const HostFindings& findings) {
  if (!findings.check || !findings.check->warns()) return {};
  return "Cross-check: " + findings.check->text + "\n";
}

}  // namespace mlps::results
