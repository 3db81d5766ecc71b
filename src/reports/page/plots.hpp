#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/page/run_view.hpp"

/// The drawings of a report, each with its heading, legend and remarks, as a piece of HTML. What is unknown becomes a
/// sentence instead of a drawing. However much a record holds, a drawing has a few hundred places at most.
namespace mlps::reports::page {

std::string timeline_plot(const Known<Timeline>& timeline);
std::string bars_plot(const Known<Bars>& bars, std::string_view title_if_unknown);
std::string time_plot(const Known<std::vector<TimeStack>>& stacks);
inline constexpr std::string_view kLatencyTitle = "Share of operations that took so long at most";
std::string latency_plot(const Known<std::vector<Latency>>& latencies, std::string_view title = kLatencyTitle);
std::string heat_plot(const Known<HeatMap>& map);
std::string moved_plot(const Known<MovedBytes>& moved);
std::string load_plot(const Known<std::vector<LoadPoint>>& load);
/// Two drawings: queries per second, and reads of a query, against recall.
std::string recall_plot(const Known<RecallCurve>& curve);
std::string hits_plot(const Known<std::vector<HitSource>>& hits);

}  // namespace mlps::reports::page
