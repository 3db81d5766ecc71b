#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/page/run_view.hpp"

/// The report on runs as one HTML file that needs nothing else: no script, no request, light and dark.
namespace mlps::reports::page {

/// No page is larger, whatever the records hold.
inline constexpr size_t kMostPageBytes = 200'000;
inline constexpr const char* kReportFile = "report.html";
inline constexpr const char* kAnswerFile = "report.txt";
inline constexpr size_t kAnswerWidth = 80;
inline constexpr size_t kMostAnswerLines = 12;

/// Returns whether there are reports on what a command of a benchmark leaves, both by their words on the command line.
bool has_report(std::string_view benchmark, std::string_view command);

/// Returns the page on these runs, of which there is at least one; several are set against one another first. What has
/// no room is said to be left out.
std::string page_of(const std::vector<RunView>& runs);

/// Returns the answer of a run as text: at most kMostAnswerLines lines of at most kAnswerWidth columns, but for a path
/// that is longer, which is never cut.
std::string answer_text(const RunView& run);

/// Returns what the record of a run says: of a run folder, or the record itself. E401 where there is none, E103 or E104
/// for what is no file or no record of at most 32 MiB, E102 for one that there is no report on.
Result<RunView> read_run(const std::string& path);

/// Writes `report.html` into the folder of a search: the curve that it found, then its runs against one another. Runs
/// that left no record are not on it.
Status write_search_report(const std::string& folder, const std::string& title, Bars curve,
                           const std::vector<std::string>& run_folders);

/// Writes `report.html` and `report.txt`, which is the answer, into a run folder, from its record. Returns the answer.
Result<std::string> write_report(const std::string& folder);

}  // namespace mlps::reports::page
