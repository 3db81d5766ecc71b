#include "live/outputs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "base/json.hpp"
#include "base/output.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/write_all.hpp"
#include "live/view.hpp"

namespace mlps::live {
namespace {

constexpr const char* kSchema = "mlpstorage.live/1";
constexpr Nanos kLineNs = 10'000'000'000;
constexpr Nanos kJsonNs = 750'000'000;  // states come every half second: every other one is written
constexpr size_t kAnyWidth = 100'000;

std::optional<double> known(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

/// Returns the unit of a figure in OpenMetrics, which is the end of its name; empty where it has none.
std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes", "ratio"}) {
    if (name.ends_with(unit)) return unit;
  }
  return {};
}

/// Returns "mlpstorage_bytes_per_second" for "bytes_per_s".
std::string metric_name(std::string_view name) {
  constexpr auto kEndings = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"_per_s", "_per_second"}, {"_s", "_seconds"}, {"_share", "_ratio"}});
  std::string metric = "mlpstorage_";
  for (const auto& [ending, written] : kEndings) {
    if (name.ends_with(ending)) return metric.append(name.substr(0, name.size() - ending.size())).append(written);
  }
  return metric.append(name);
}

std::string label_text(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return '"' + terminal_text(text) + '"';
}

std::string head_of_metric(const std::string& name, const char* type, std::string_view help) {
  const std::string_view unit = unit_of(name);
  return fmt::format("# TYPE {0} {1}\n{2}# HELP {0} {3}\n", name, type,
                     unit.empty() ? "" : fmt::format("# UNIT {} {}\n", name, unit), help);
}

std::string info_metric(const State& state, const About& about) {
  std::string labels;
  for (const auto& [name, value] :
       {std::pair("benchmark", &about.benchmark), std::pair("command", &about.command), std::pair("mode", &about.mode),
        std::pair("model", &about.model), std::pair("systemname", &about.systemname), std::pair("label", &about.label),
        std::pair("place", &state.place), std::pair("host", &state.host)}) {
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", name, label_text(*value));
  }
  return head_of_metric("mlpstorage_run", "info", "What runs.") + fmt::format("mlpstorage_run_info{{{}}} 1\n", labels);
}

Error wrong_file(const std::string& path) {
  return {ErrorCode::kConfigInvalid,
          fmt::format("--live-json {}: that is there, and holds something else", path),
          {},
          "give another name; lines are appended only to what this flag has written"};
}

}  // namespace

std::string json_line(const State& state, const About& about, int64_t wall_us) {
  Json json;
  json["schema"] = kSchema;
  json["time_utc"] = iso_utc(wall_us);
  json["benchmark"] = about.benchmark;
  json["command"] = about.command;
  json["mode"] = about.mode;
  json["model"] = about.model;
  json["systemname"] = about.systemname;
  json["label"] = about.label.empty() ? Json() : Json(about.label);
  json["place"] = state.place;
  json["host"] = state.host.empty() ? Json() : Json(state.host);
  json["phase"] = state.phase;
  json["item"] = state.item.empty() ? Json() : Json(state.item);
  json["parts"] = Json::array();
  for (const Part& part : state.parts) {
    json["parts"].push_back(
        {{"word", part.word}, {"number", part.number}, {"total", part.total > 0 ? Json(part.total) : Json()}});
  }
  json["epoch_au_percent"] = state.epoch_au;
  for (const Figure& figure : kFigures) {
    const auto value = known(state.*figure.value);
    json[std::string(figure.name)] = value ? Json(*value) : Json();
  }
  return json.dump() + "\n";
}

std::string metrics_page(const State& state, const About& about) {
  std::string text = info_metric(state, about);
  if (!state.phase.empty()) {
    text += head_of_metric("mlpstorage_phase", "gauge", "What the run is doing.");
    text += fmt::format("mlpstorage_phase{{phase={}}} 1\n", label_text(state.phase));
  }
  if (!state.parts.empty()) {
    text += head_of_metric("mlpstorage_part", "gauge", "How far the run is: the epoch, the step, the checkpoint.");
    for (const Part& part : state.parts) {
      text += fmt::format("mlpstorage_part{{part={}}} {}\n", label_text(part.word), part.number);
    }
    text += head_of_metric("mlpstorage_parts", "gauge", "How many of them there are, where that is known.");
    for (const Part& part : state.parts) {
      if (part.total > 0) text += fmt::format("mlpstorage_parts{{part={}}} {}\n", label_text(part.word), part.total);
    }
  }
  for (const Figure& figure : kFigures) {
    const auto value = known(state.*figure.value);
    if (!value) continue;
    const std::string name = metric_name(figure.name);
    text += head_of_metric(name, figure.counts ? "counter" : "gauge", figure.help);
    text += fmt::format("{}{} {}\n", name, figure.counts ? "_total" : "", *value);
  }
  return text + "# EOF\n";
}

Result<std::shared_ptr<Outputs>> Outputs::open(Settings settings) {
  std::shared_ptr<Outputs> outputs(new Outputs(std::move(settings)));
  if (!outputs->settings_.live_json_file.empty()) {
    if (Status opened = outputs->open_live_json(); !opened) return fail(opened.error());
  }
  if (!outputs->settings_.metrics_address.empty()) {
    auto server = MetricsServer::start(outputs->settings_.metrics_address);
    if (!server) return fail(std::move(server.error()));
    outputs->metrics_ = std::move(*server);
    outputs->metrics_->set_text(metrics_page({}, outputs->settings_.about));
    log::status("metrics: http://{}/metrics", outputs->metrics_->address());
  }
  return outputs;
}

Status Outputs::open_live_json() {
  const std::string& path = settings_.live_json_file;
  // A pipe without a reader is an error here, not a wait.
  live_json_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644));
  if (!live_json_.is_open()) return fail(errno_error(errno, "--live-json: open " + path));
  const std::string begin = fmt::format("{{\"schema\":\"{}\"", kSchema);
  const Descriptor before(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string found(begin.size(), '\0');
  // What can't be looked at, such as a pipe, holds nothing.
  const ssize_t got = before.is_open() ? ::pread(before.get(), found.data(), found.size(), 0) : 0;
  if (got > 0 && found.substr(0, static_cast<size_t>(got)) != begin) return fail(wrong_file(path));
  return {};
}

void Outputs::show(const State& state) {
  draw(state);
  if (live_json_.is_open()) append_json(state);
  if (metrics_) metrics_->set_text(metrics_page(state, settings_.about));
}

void Outputs::draw(const State& state) {
  if (!log::stderr_is_terminal()) {
    const Nanos now = now_ns();
    if (now - last_line_ns_ < kLineNs) return;
    last_line_ns_ = now;
    return log::progress(one_line(state, {kAnyWidth, 1, locale_is_utf8(), false}));
  }
  const ScreenSize size = stderr_size();
  const Screen screen{size.columns, size.rows, locale_is_utf8(), stderr_has_color(settings_.color)};
  if (settings_.one_line || !has_room(screen)) return log::progress(one_line(state, screen));
  log::progress(join(full_view(state, screen), "\n"));
}

void Outputs::append_json(const State& state) {
  const Nanos now = now_ns();
  if (now - last_json_ns_ < kJsonNs) return;
  last_json_ns_ = now;
  const std::string& path = settings_.live_json_file;
  const Status written =
      write_all(live_json_.get(), json_line(state, settings_.about, Stamp::now().wall_us), "write " + path);
  if (written) return;
  live_json_.close();
  note_lost_output("the live figures of this run are not complete: " + written.error().message);
}

}  // namespace mlps::live
