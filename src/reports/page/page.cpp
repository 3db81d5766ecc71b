#include "reports/page/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/numbers.hpp"
#include "base/read_file.hpp"
#include "base/text.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/page_frame.hpp"
#include "reports/page/plots.hpp"
#include "results/folder_writer.hpp"
#include "results/run_folder.hpp"

namespace mlps::reports::page {
namespace {

constexpr size_t kRoomForRun = 40'000;
constexpr size_t kMostColumns = 12;

std::string_view tone_class(Tone tone) {
  return tone == Tone::kGood ? " good" : tone == Tone::kBad ? " bad" : "";
}

std::string head_of_run(const RunView& run, bool alone) {
  const char* level = alone ? "h1" : "h2";
  std::string text = fmt::format("<header><{0}>{1}</{0}><p class=\"sub\">{2}</p>", level, escaped(run.title, 200),
                                 escaped(run.subtitle));
  text += fmt::format("<p class=\"answer{}\">{}</p>", tone_class(run.answer_tone), escaped(run.answer));
  if (!run.aside.empty()) text += fmt::format("<p class=\"sub\">{}</p>", escaped(run.aside));
  text += fmt::format("<p><span class=\"verdict{}\">verdict of the run: {}</span></p>", tone_class(run.verdict_tone),
                      escaped(run.verdict, 40));
  text += "<table class=\"answers\"><tbody>";
  for (const AnswerLine& line : run.lines) {
    text += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(line.label, 40),
                        escaped(join(line.phrases, "; "), 1000));
  }
  return text + "</tbody></table></header>\n";
}

std::string notes_of(const RunView& run) {
  std::string text;
  for (const auto& [title, notes] : run.notes) {
    text += fmt::format("<section class=\"note\"><h3>{}</h3><ul>", escaped(title));
    for (const std::string& note : notes) text += fmt::format("<li>{}</li>", escaped(note, 400));
    text += "</ul></section>\n";
  }
  return text;
}

std::string key_figures_of(const RunView& run) {
  std::string text = "<section class=\"figures\">";
  for (const KeyFigure& one : run.key_figures) {
    text += fmt::format("<div><span>{}</span><b>{}</b><span>{}</span></div>", escaped(one.label, 80),
                        escaped(one.value, 80), escaped(one.remark, 200));
  }
  return text + "</section>\n";
}

std::string settings_of(const SettingGroup& group) {
  Table table{group.title, {"setting", "value", "from"}, {}, {}};
  for (const Setting& one : group.settings) table.rows.push_back({one.key, one.value, one.source});
  return table_of(table);
}

void add_plots(const RunView& run, Page& page) {
  page.mark("<main class=\"plots\">\n");
  page.add("throughput over time", timeline_plot(run.timeline));
  if (run.load) {
    page.add("requests in time", load_plot(*run.load));
  } else if (run.recall) {
    page.add("recall", recall_plot(*run.recall));
  } else {
    page.add("epochs and checkpoints", bars_plot(run.bars, "Every epoch or checkpoint"));
  }
  if (run.hits) page.add("hits", hits_plot(*run.hits));
  page.add("where the time went", time_plot(run.time));
  page.add("latencies", latency_plot(run.latencies));
  for (const Known<HeatMap>& map : run.heat_maps) page.add("every rank", heat_plot(map));
  page.add("bytes", moved_plot(run.moved));
  page.mark("</main>\n");
}

void add_tables(const RunView& run, Page& page) {
  std::string text =
      fmt::format("<section class=\"expert\"><h2>For the expert</h2><p class=\"sub\">{}; folder {}</p><pre>{}</pre>",
                  escaped(run.tool), escaped(run.folder), escaped(run.command, 4000));
  std::string hosts;
  std::string columns;
  for (const Table& table : run.tables) {
    (table.header.size() > 3 ? hosts : columns) += table_of(table);
  }
  if (!hosts.empty()) text += "<div class=\"hosts\">" + hosts + "</div>";
  page.add("command and hosts", text + "</section>\n");
  if (!columns.empty()) page.add("all figures", "<div class=\"tables\">" + columns + "</div>\n");
  for (const SettingGroup& group : run.settings) {
    page.add("settings, " + group.title, "<div class=\"tables\">" + settings_of(group) + "</div>\n");
  }
}

// Returns a figure that stays on one line.
std::string unbroken(std::string text) {
  for (size_t at; (at = text.find(' ')) != std::string::npos;) text.replace(at, 1, "\u00a0");
  return text;
}

// Returns a table with a row for each run and a column for each figure that the first one has.
std::string overview_of(const std::vector<RunView>& runs) {
  Table table{"", {"run", "verdict", "answer"}, {}, {}};
  for (const KeyFigure& one : runs.front().key_figures) {
    if (table.header.size() < kMostColumns) table.header.push_back(one.label);
  }
  for (const RunView& run : runs) {
    const std::string name = fmt::format("{}: {}, {}", table.rows.size() + 1, run.title, run.subtitle);
    std::vector<std::string> row = {name, run.verdict, run.answer};
    for (size_t i = 3; i < table.header.size(); ++i) {
      std::string value = "-";
      for (const KeyFigure& one : run.key_figures) {
        if (one.label == table.header[i]) value = one.value;
      }
      row.push_back(unbroken(std::move(value)));
    }
    table.rows.push_back(std::move(row));
  }
  table.title = counted(static_cast<double>(runs.size()), "run");
  return "<div class=\"hosts\">" + table_of(table) + "</div>\n";
}

// Returns the settings that aren't the same in all runs. Where runs are of different benchmarks, most settings are of
// one only: then those count that several have.
std::string differences_of(const std::vector<RunView>& runs) {
  Table table{"Settings that differ", {"setting"}, {}, {}};
  const size_t shown = std::min(runs.size(), kMostColumns);
  for (size_t i = 0; i < shown; ++i) table.header.push_back(fmt::format("run {}", i + 1));
  std::vector<std::vector<std::pair<std::string, std::string>>> values(shown);
  std::vector<std::string> keys;
  for (size_t i = 0; i < shown; ++i) {
    for (const SettingGroup& group : runs[i].settings) {
      for (const Setting& one : group.settings) {
        values[i].emplace_back(one.key, one.value);
        if (std::find(keys.begin(), keys.end(), one.key) == keys.end()) keys.push_back(one.key);
      }
    }
  }
  const bool alike = std::all_of(runs.begin(), runs.end(), [&](const RunView& run) {
    return !run.key_figures.empty() && !runs.front().key_figures.empty() &&
           run.key_figures.front().label == runs.front().key_figures.front().label;
  });
  const auto first_known = [](const std::vector<std::string>& row) {
    const auto found = std::find_if(row.begin() + 1, row.end(), [](const std::string& value) { return value != "-"; });
    return found == row.end() ? std::string("-") : *found;
  };
  for (const std::string& key : keys) {
    std::vector<std::string> row = {key};
    for (const auto& settings : values) {
      const auto found =
          std::find_if(settings.begin(), settings.end(), [&](const auto& one) { return one.first == key; });
      row.push_back(found == settings.end() ? "-" : found->second);
    }
    const bool differs = std::any_of(row.begin() + 1, row.end(), [&](const std::string& value) {
      return value != row[1] && (alike || (value != "-" && first_known(row) != value));
    });
    if (differs) table.rows.push_back(std::move(row));
  }
  if (runs.size() > shown) table.rest = fmt::format("of the first {} runs", shown);
  return "<div class=\"hosts differing\">" + table_of(table) + "</div>\n";
}

void add_run(const RunView& run, bool alone, Page& page) {
  page.add("head of a run", head_of_run(run, alone));
  page.add("notes", notes_of(run));
  page.add("key figures", key_figures_of(run));
  add_plots(run, page);
}

}  // namespace

namespace {

std::string page_with_head(const std::vector<RunView>& runs, bool alone, Page page) {
  if (!alone && !runs.empty()) {
    page.add("overview", overview_of(runs));
    page.add("settings that differ", differences_of(runs));
  }
  size_t drawn = 0;
  while (drawn < runs.size() && page.has_room(drawn == 0 ? 0 : kRoomForRun)) add_run(runs[drawn++], alone, page);
  if (drawn < runs.size()) {
    page.mark(fmt::format("<p class=\"none\">No room on this page for the drawings of {} more runs.</p>\n",
                          runs.size() - drawn));
  }
  if (alone) add_tables(runs.front(), page);
  return page.finish("the record of the run");
}

}  // namespace

std::string page_of(const std::vector<RunView>& runs) {
  const bool alone = runs.size() == 1;
  Page page(alone ? runs.front().title : counted(static_cast<double>(runs.size()), "run"));
  if (!alone) page.mark(fmt::format("<h1>Report on {}</h1>\n", counted(static_cast<double>(runs.size()), "run")));
  return page_with_head(runs, alone, std::move(page));
}

Status write_search_report(const std::string& folder, const std::string& title, Bars curve,
                           const std::vector<std::string>& run_folders) {
  std::vector<RunView> runs;
  for (const std::string& run_folder : run_folders) {
    Result<RunView> run = read_run(run_folder);
    if (run) runs.push_back(std::move(*run));
  }
  Page page(title);
  page.mark(fmt::format("<h1>{}</h1>\n<div class=\"plots curve\">\n", escaped(title, 400)));
  Known<Bars> drawn = unknown("no run came to its end");
  if (!curve.bars.empty()) drawn = std::move(curve);
  page.add("the curve", bars_plot(drawn, "The curve"));
  page.mark("</div>\n");
  return results::write_file(folder + "/" + kReportFile, page_with_head(runs, false, std::move(page)),
                             results::Durability::kRenamed);
}

Result<RunView> read_run(const std::string& path) {
  std::error_code unreadable;
  const bool is_folder = std::filesystem::is_directory(path, unreadable);
  const std::string file = is_folder ? path + "/" + results::kRecordFile : path;
  if (!std::filesystem::exists(file, unreadable)) {
    return fail(ErrorCode::kPathNotFound,
                is_folder ? fmt::format("{} is no run folder: it has no {}", path, results::kRecordFile)
                          : fmt::format("{} is not there", path),
                {}, "name the folder of a run: 'mlpstorage history show' lists them");
  }
  const auto text = read_file(file, "record", rules::kMostDocumentBytes);
  if (!text) return fail(text.error());
  const auto named = [&](Error error) {
    error.message = fmt::format("{}: {}", file, error.message);
    return fail(std::move(error));
  };
  const Result<rules::Document> document = rules::parse_json_document(*text);
  if (!document) return named(document.error());
  Result<RunView> view = view_of(*document);
  return view ? std::move(view) : named(view.error());
}

Result<std::string> write_report(const std::string& folder) {
  Result<RunView> run = read_run(folder);
  if (!run) return fail(run.error());
  std::string answer = answer_text(*run);
  std::vector<RunView> runs;
  runs.push_back(std::move(*run));
  for (const auto& [name, text] : {std::pair(kReportFile, page_of(runs)), std::pair(kAnswerFile, answer)}) {
    Status written = results::write_file(folder + "/" + name, text, results::Durability::kRenamed);
    if (!written) return fail(std::move(written.error()));
  }
  return answer;
}

}  // namespace mlps::reports::page
