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

/// Returns whether there are reports on the runs of a benchmark, by its word on the command line.
bool has_report(std::string_view benchmark);

/// Returns the page on these runs, of which there is at least one; several are set against one another first. What has
/// no room is said to be left out.
std::string page_of(const std::vector<RunView>& runs);

/// Returns what the record of a run says: of a run folder, or the record itself. E401 where there is none, E103 or E104
/// for what is no file or no record of at most 32 MiB, E102 for one that there is no report on.
Result<RunView> read_run(const std::string& path);

/// Writes `report.html` into the folder of a search: the curve that it found, then its runs against one another. Runs
/// that left no record are not on it.
Status write_search_report(const std::string& folder, const std::string& title, Bars curve,
                           const std::vector<std::string>& run_folders);

/// Writes `report.html` into a run folder, from its record.
Status write_report(const std::string& folder);

}  // namespace mlps::reports::page
