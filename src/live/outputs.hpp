#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "live/metrics_server.hpp"
#include "live/state.hpp"

namespace mlps::live {

/// Holds what a watcher is told of a run beside its states.
struct About {
  std::string benchmark, command, mode, model, systemname, label;
};

/// Returns a state as one line of JSON, which schemas/live.schema.json describes, with its line end.
std::string json_line(const State& state, const About& about, int64_t wall_us);

/// Returns a state as a page of OpenMetrics 1.0; before the first one without figures.
std::string metrics_page(const State& state, const About& about);

/// Everything that shows how a run goes: the terminal or the lines on stderr, the file of --live-json, the server of
/// --metrics.
class Outputs {
 public:
  struct Settings {
    bool one_line = false;  ///< also where the terminal has room for more
    ColorMode color = ColorMode::kAuto;
    std::string live_json_file;   ///< appended to; empty: none
    std::string metrics_address;  ///< HOST:PORT; empty: nowhere
    About about;
  };

  /// Opens the file and starts the server. Errors are those of a file that can't be written or holds something else,
  /// and of an address that can't be listened at.
  static Result<std::shared_ptr<Outputs>> open(Settings settings);

  /// Shows a state: at once on a terminal and in the metrics, in the file once a second, as lines on another stderr
  /// every ten seconds. One thread at a time. What can't be written to the file any more is lost output.
  void show(const State& state);

 private:
  explicit Outputs(Settings settings) : settings_(std::move(settings)) {}

  Status open_live_json();
  void draw(const State& state);
  void append_json(const State& state);

  const Settings settings_;
  Nanos last_line_ns_ = now_ns();  // on a stderr that is no terminal
  Nanos last_json_ns_ = 0;
  Descriptor live_json_;
  std::unique_ptr<MetricsServer> metrics_;
};

}  // namespace mlps::live
