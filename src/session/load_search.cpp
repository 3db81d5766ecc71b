#include "session/load_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "base/version.hpp"
#include "results/record_common.hpp"
#include "results/redact.hpp"
#include "session/execution.hpp"

namespace mlps::cli {
namespace {

// Of the main thread alone.
std::function<void(const FinishedSearch& finished)> finished_search_use;

constexpr size_t kScreenColumns = 80;
constexpr size_t kLabelColumns = 11;
constexpr double kBarColumns = 55;

std::string number(double value) {
  return fmt::format("{:.1f}", value);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::string with_unit(double value, const std::string& unit) {
  return unit.empty() ? number(value) : number(value) + " " + unit;
}

std::string measured(const LoadSearch& search, double value) {
  return search.measure + " " + with_unit(value, search.unit);
}

/// Returns what limited the runs at the least load that was too much; nothing if none was.
std::string limit_beyond(const FinishedSearch& finished) {
  std::string limit;
  for (size_t i = 0; i < finished.runs.size() && i < finished.answer.points.size(); ++i) {
    if (finished.answer.points[i].load == finished.answer.not_met) limit = finished.runs[i].limit;
  }
  return limit;
}

/// Returns `text` in lines that fit on a screen, each after the first `indent` columns in.
std::string wrapped(const std::string& text, size_t indent) {
  std::string lines;
  size_t column = indent;
  for (const std::string_view word : split(text, " ")) {
    if (column > indent && column + 1 + word.size() > kScreenColumns) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines + "\n";
}

std::string row(std::string_view label, const std::string& text) {
  return text.empty() ? "" : fmt::format("  {:<{}} {}", label, kLabelColumns, wrapped(text, kLabelColumns + 3));
}

/// Returns the values at a load with their mean.
std::string values_text(const FinishedSearch& finished, std::optional<uint64_t> load) {
  if (!load) return {};
  const std::vector<double> values = finished.answer.values_at(*load);
  if (values.empty()) return {};
  std::string text = measured(finished.search, mean_of(values));
  if (values.size() < 2) return text + ", one run";
  std::vector<std::string> each;
  for (const double value : values) each.push_back(number(value));
  return fmt::format("{}, of {} runs: {}", text, values.size(), join(each, ", "));
}

std::string curve(const FinishedSearch& finished, bool unicode) {
  std::map<uint64_t, std::vector<double>> loads;
  double most = finished.search.threshold;
  for (const run::EdgePoint& point : finished.answer.points) {
    loads[point.load].push_back(point.value);
    most = std::max(most, point.value);
  }
  if (loads.empty() || most <= 0) return {};
  const LoadSearch& search = finished.search;
  std::string text = fmt::format("  {} by {}; {} marks the need, {} {}\n", search.measure, search.loads,
                                 unicode ? "│" : "|", number(search.threshold), search.unit);
  const auto columns = [&](double value) { return static_cast<size_t>(std::lround(kBarColumns * value / most)); };
  for (const auto& [load, values] : loads) {
    const double value = mean_of(values);
    std::string bar;
    for (size_t column = 0; column <= std::max(columns(value), columns(search.threshold)); ++column) {
      const bool need = column == columns(search.threshold);
      bar += need ? (unicode ? "│" : "|") : column < columns(value) ? (unicode ? "█" : "#") : " ";
    }
    while (bar.ends_with(' ')) bar.pop_back();
    text += fmt::format("  {:>9} {:>7} {}\n", grouped(load), number(value), bar);
  }
  return text;
}

/// Returns the command for one run at the edge.
std::string next_step(const FinishedSearch& finished) {
  if (!finished.answer.edge) return {};
  return fmt::format("the same command with {} {}: one run, with everything about it", finished.search.flag,
                     *finished.answer.edge);
}

Json search_json(const FinishedSearch& finished, const CommonOptions& common) {
  const LoadSearch& search = finished.search;
  const run::EdgeAnswer& answer = finished.answer;
  const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(); };
  Json points = Json::array();
  for (size_t i = 0; i < answer.points.size(); ++i) {
    const run::EdgePoint& point = answer.points[i];
    points.push_back({{"load", point.load},
                      {"value", point.value},
                      {"met", point.met},
                      {"client_limited", point.client_limited},
                      {"limit", finished.runs[i].limit},
                      {"run_folder", finished.runs[i].folder}});
  }
  return {{"schema", "mlpstorage-search"},
          {"schema_version", 1},
          {"tool_version", version_text()},
          {"command", results::without_secrets(common.argv)},
          {"flag", search.flag},
          {"loads", search.loads},
          {"subject", search.subject},
          {"measure", search.measure},
          {"unit", search.unit},
          {"threshold", search.threshold},
          {"step", search.step},
          {"bound", search.bound},
          {"bound_because", search.bound_because},
          {"stop", run::edge_stop_name(answer.stop)},
          {"edge", or_null(answer.edge)},
          {"not_met", or_null(answer.not_met)},
          {"limit", limit_beyond(finished)},
          {"error", answer.error ? results::error_json(*answer.error) : Json()},
          {"points", std::move(points)}};
}

bool takes_unicode(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const auto value = environment.get(name)) return lower(*value).find("utf") != std::string::npos;
  }
  return false;
}

/// The search as process 0 makes it: what is told between the runs, and at the end.
class SearchInProgress {
 public:
  SearchInProgress(const BenchmarkOptions& options, const LoadSearch& search) : common_(options.common) {
    finished_.search = search;
  }

  Status begin() {
    auto folder = begin_run_folder(common_, finished_.search.folder);
    if (!folder) return fail(folder.error());
    folder_ = std::move(*folder);
    finished_.folder = folder_.path;
    const LoadSearch& search = finished_.search;
    say(wrapped(fmt::format("search: the most {} of {} with {} >= {} {}, up to {} ({})", search.loads, search.subject,
                            search.measure, number(search.threshold), search.unit, grouped(search.bound),
                            search.bound_because),
                8) +
        fmt::format("  {:>12}   {}\n", search.loads, search.measure));
    if (common_.stream_log_level >= LogLevel::kInfo) log::configure({LogLevel::kWarning, common_.color});
    return {};
  }

  /// Takes what a run at a load came to, and says it in a line.
  Result<run::EdgeTrial> take(uint64_t load, SearchedRun ran) {
    log::progress("");
    status_ = ran.status;
    if (status_ == kExitSuccess && !ran.trial) status_ = exit_code(ErrorCode::kInternal);
    if (status_ != kExitSuccess || !ran.trial) return fail(why(load, ran));
    say(fmt::format("  {:>12}   {:<{}}   {}\n", grouped(load), with_unit(ran.trial->value, finished_.search.unit),
                    std::max<size_t>(finished_.search.measure.size(), 7),
                    ran.trial->client_limited ? "no answer: this client was the limit"
                    : ran.trial->met          ? "enough"
                                              : "NOT ENOUGH"));
    // What is the same in every run is said once; the run folders have it all.
    if (common_.stream_log_level >= LogLevel::kInfo) log::configure({LogLevel::kError, common_.color});
    auto trial = *ran.trial;
    finished_.runs.push_back(std::move(ran));
    return trial;
  }

  int conclude(run::EdgeAnswer answer, const Environment& environment) {
    log::configure({common_.stream_log_level, common_.color});
    finished_.answer = std::move(answer);
    folder_.release_room();
    const std::string json = search_json(finished_, common_).dump(2) + "\n";
    const std::string text = search_text(finished_, takes_unicode(environment));
    Status written = results::write_file(finished_.folder + "/" + kSearchFile, json);
    if (written) written = results::write_file(finished_.folder + "/report.txt", text);
    if (written && finished_search_use) finished_search_use(finished_);
    if (common_.json) {
      print(json);
    } else {
      print("\n" + text);
    }
    if (!written && status_ == kExitSuccess) return report_failures({written.error()});
    return status_;
  }

 private:
  void say(const std::string& text) const {
    if (!common_.json) print(text);
  }

  static Error why(uint64_t load, const SearchedRun& ran) {
    const std::vector<Error> reported = reported_failures();
    Error error = reported.empty() ? Error{ErrorCode::kInternal, "no figure came out"} : reported.back();
    if (!ran.limit.empty()) error.message = ran.limit;
    error.message = fmt::format("the run at {}: {}", grouped(load), error.message);
    return error;
  }

  const CommonOptions& common_;
  FinishedSearch finished_;
  results::RunFolder folder_;
  int status_ = kExitSuccess;
};

}  // namespace

std::string search_headline(const FinishedSearch& finished) {
  const LoadSearch& search = finished.search;
  const run::EdgeAnswer& answer = finished.answer;
  const std::string edge = answer.edge ? grouped(*answer.edge) : "0";
  switch (answer.stop) {
    case run::EdgeStop::kFound:
      return fmt::format("{} {} of {} are {}, {} are not", edge, search.loads, search.subject, search.done,
                         grouped(*answer.not_met));
    case run::EdgeStop::kNeverMet:
      return fmt::format("NOT ENOUGH for {} of {}: not even the least load, {}", search.loads, search.subject,
                         grouped(*answer.not_met));
    case run::EdgeStop::kBound:
      return fmt::format("at least {} {} of {} are {}: the search ended there", edge, search.loads, search.subject,
                         search.done);
    case run::EdgeStop::kClient:
      if (!answer.edge) {
        return fmt::format("no answer for {} of {}: this client is the limit, not the storage, even at {}",
                           search.loads, search.subject, grouped(*answer.not_met));
      }
      return fmt::format("at least {} {} of {} are {}; beyond, this client is the limit, not the storage", edge,
                         search.loads, search.subject, search.done);
    case run::EdgeStop::kTrials:
      return fmt::format("between {} and {} {} of {} are {}: {} runs did not tell it better", edge,
                         answer.not_met ? grouped(*answer.not_met) : grouped(search.bound), search.loads,
                         search.subject, search.done, answer.points.size());
    case run::EdgeStop::kError:
      break;
  }
  return fmt::format("the search has failed; before that {} {} of {} were {}", edge, search.loads, search.subject,
                     search.done);
}

std::string search_text(const FinishedSearch& finished, bool unicode) {
  const run::EdgeAnswer& answer = finished.answer;
  std::string text = wrapped(search_headline(finished), 0);
  if (answer.edge) text += row(fmt::format("at {}", grouped(*answer.edge)), values_text(finished, answer.edge));
  if (answer.not_met)
    text += row(fmt::format("at {}", grouped(*answer.not_met)), values_text(finished, answer.not_met));
  text += row("beyond", limit_beyond(finished));
  if (answer.stop == run::EdgeStop::kBound) text += row("ended there", finished.search.bound_because);
  if (answer.edge && answer.not_met && *answer.not_met > *answer.edge + finished.search.step) {
    text += row("not tried", fmt::format("{} to {}", grouped(*answer.edge + finished.search.step),
                                         grouped(*answer.not_met - finished.search.step)));
  }
  if (answer.error) text += row("error", answer.error->message);
  text += curve(finished, unicode);
  text += row("results", finished.folder);
  return text + row("next", next_step(finished));
}

void check_search_line(std::string_view flag, const Reader& reader, const BenchmarkOptions& options,
                       std::vector<Error>& errors) {
  const auto refuse = [&](std::string message, std::string suggestion) {
    errors.push_back({ErrorCode::kConfigInvalid, fmt::format("{}{}", flag, message), {}, std::move(suggestion)});
  };
  if (options.command != "run") {
    refuse(fmt::format(": 'run' searches, {} doesn't", options.command), "give a number");
  }
  for (const char* other : {"loops", "emit-fio", "io-trace"}) {
    if (!reader.given(other)) continue;
    refuse(fmt::format(" with --{}: a search makes many runs, of different loads", other),
           fmt::format("leave out --{}, or give a number", other));
  }
}

void on_finished_search(std::function<void(const FinishedSearch& finished)> use) {
  finished_search_use = std::move(use);
}

int search_load(const BenchmarkOptions& options, const Environment& environment, ProcessGroup& group,
                const LoadSearch& search, const std::function<SearchedRun(uint64_t load)>& run_at) {
  uint64_t load = 0;
  if (!group.is_process0()) {
    int status = kExitSuccess;
    for (;;) {
      if (const auto ended = group.broadcast(load)) return *ended;
      if (load == 0) return status;
      status = run_at(load).status;
    }
  }
  SearchInProgress progress(options, search);
  const Status begun = progress.begin();
  if (!begun) (void)report_failures({begun.error()});
  std::optional<int> ended;
  const auto trial = [&](uint64_t steps) -> Result<run::EdgeTrial> {
    load = steps * search.step;
    if ((ended = group.broadcast(load))) return fail(ErrorCode::kInternal, "the processes of the job have failed");
    auto made = progress.take(load, run_at(load));
    if (made && made->guess) *made->guess /= static_cast<double>(search.step);
    return made;
  };
  run::EdgeAnswer answer;
  if (begun) {
    const run::EdgeQuestion question{.first = search.first / search.step, .bound = search.bound / search.step};
    answer = run::search_edge(question, trial);
  }
  load = 0;
  if (!ended) ended = group.broadcast(load);
  if (!begun) return exit_code(begun.error().code);
  for (run::EdgePoint& point : answer.points) point.load *= search.step;
  if (answer.edge) *answer.edge *= search.step;
  if (answer.not_met) *answer.not_met *= search.step;
  const int status = progress.conclude(std::move(answer), environment);
  return ended.value_or(status);
}

}  // namespace mlps::cli
