#include "cli/report_command.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/log.hpp"
#include "base/output.hpp"
#include "cli/utilities.hpp"
#include "flags/values.hpp"
#include "reports/csv.hpp"
#include "reports/page/page.hpp"
#include "results/run_folder.hpp"
#include "session/execution.hpp"
#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kFirstWords = "<!DOCTYPE html>";

void leave_search_report(const FinishedSearch& finished) {
  const LoadSearch& search = finished.search;
  reports::page::Bars curve{fmt::format("{} by {}", search.measure, search.loads), search.unit, {}, {}, {}};
  curve.threshold = search.threshold;
  std::map<uint64_t, size_t> loads;
  for (const run::EdgePoint& point : finished.answer.points) ++loads[point.load];
  for (const auto& [load, count] : loads) {
    for (const double value : finished.answer.values_at(load))
      curve.bars.push_back({fmt::format("{}", load), value, 1});
  }
  std::vector<std::string> folders;
  for (const SearchedRun& ran : finished.runs) folders.push_back(ran.folder);
  const Status status =
      reports::page::write_search_report(finished.folder, search_headline(finished), std::move(curve), folders);
  if (!status) log::warning("this search has no {}: {}", reports::page::kReportFile, status.error().message);
}

}  // namespace

Status check_page_output(const std::string& file) {
  std::error_code unreadable;
  if (!std::filesystem::exists(file, unreadable)) return {};
  std::string words(kFirstWords.size(), '\0');
  if (std::filesystem::is_regular_file(file, unreadable)) {
    std::ifstream(file, std::ios::binary).read(words.data(), static_cast<std::streamsize>(words.size()));
  }
  if (words == kFirstWords) return {};
  return fail(ErrorCode::kConfigInvalid, fmt::format("--output {}: that is there, and is no report", file), {},
              "give another name, or remove it first");
}

int report_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const std::string given = reader.text("output");
  const std::string file = given.empty() ? reports::page::kReportFile : given;
  std::vector<reports::page::RunView> runs;
  for (const std::string& word : words) {
    Result<reports::page::RunView> run = reports::page::read_run(word);
    if (run) {
      runs.push_back(std::move(*run));
    } else {
      errors.push_back(run.error());
    }
  }
  if (const Status free = check_page_output(file); !free) errors.push_back(free.error());
  if (!errors.empty()) return report(errors);
  if (const Status written = results::write_file(file, reports::page::page_of(runs)); !written) {
    return report(written.error());
  }
  if (runs.size() == 1) print(reports::page::answer_text(runs.front()));
  print(file + "\n");
  return kExitSuccess;
}

void leave_reports(const BenchmarkOptions& options) {
  on_finished_search(leave_search_report);
  const bool has_page = reports::page::has_report(options.benchmark, options.command);
  const std::string& csv = options.common.csv_file;
  if (!has_page && csv.empty()) return on_finished_run(nullptr);
  on_finished_run([has_page, csv](const std::string& folder) -> std::optional<std::string> {
    const Status row = csv.empty() ? Status() : reports::append_csv(csv, folder);
    if (!row) note_lost_output("this run has no row in " + csv + ": " + row.error().message);
    if (!has_page) return std::nullopt;
    Result<std::string> answer = reports::page::write_report(folder);
    if (answer) return std::move(*answer);
    log::warning("this run has no {}, and its tables stand for its answer: {}", reports::page::kReportFile,
                 answer.error().message);
    return std::nullopt;
  });
}

}  // namespace mlps::cli
