#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

struct LoadStep {
  const char* key;
  const char* name;
  unsigned series;
};

constexpr std::array kLoadSteps = {LoadStep{"create_s", "making the collection", 5},
                                   LoadStep{"insert_s", "inserting", 2}, LoadStep{"flush_s", "flushing", 7},
                                   LoadStep{"build_s", "building the index", 3}, LoadStep{"load_s", "loading", 8}};

std::string seconds_of(Node node) {
  return amount(node) ? time_text(1e9 * *amount(node)) : "-";
}

void load_answer(Node record, RunView& view) {
  const auto inserted = amount(record.at("load.inserted"));
  if (!inserted || *inserted == 0) {
    view.answer = "no answer: no vector was inserted";
    return;
  }
  const Node steps = record["steps"];
  view.answer = fmt::format("{} vectors inserted at {}/s; index built in {}", figure(*inserted),
                            figure_of(record.at("load.vectors_per_s")), seconds_of(steps["build_s"]));
}

// Adds the bars of the steps as one whole, and says which of them took longest.
void load_time(Node record, RunView& view) {
  TimeStack stack{"the load", {}};
  double all = 0;
  for (const LoadStep& step : kLoadSteps) all += amount_or_zero(record["steps"][step.key]);
  if (!(all > 0) || !(all < 1e300)) {
    view.time = unknown("the record has no time of any step");
    view.limit = "an unknown part: the record has no times of steps";
    return;
  }
  for (const LoadStep& step : kLoadSteps) {
    const double seconds = amount_or_zero(record["steps"][step.key]);
    if (seconds > 0) stack.shares.push_back({step.name, seconds / all, step.series});
  }
  const auto longest = std::max_element(stack.shares.begin(), stack.shares.end(),
                                        [](const Share& a, const Share& b) { return a.share < b.share; });
  view.limit = fmt::format("{} ({} of the time)", longest->name, percent(100 * longest->share));
  view.time = std::vector{std::move(stack)};
}

void load_figures(Node record, RunView& view) {
  const Node load = record["load"];
  const Node facts = record["collection"];
  const auto rate = amount(load["bytes_per_s"]);
  const auto index = amount(facts["index_bytes"]);
  const auto memory = amount(record["peak_rss_bytes"]);
  view.key_figures.push_back({"vectors", figure_of(load["inserted"]), "of " + figure_of(load["assigned"])});
  view.key_figures.push_back(
      {"inserted at", rate ? rate_text(*rate) : "-", fmt::format("{} vectors/s", figure_of(load["vectors_per_s"]))});
  view.key_figures.push_back(
      {"index build", seconds_of(record.at("steps.build_s")), "indexed rows: " + figure_of(facts["indexed_rows"])});
  view.key_figures.push_back({"index", index ? bytes_text(*index) : "-", facts["index"].text_or("")});
  view.key_figures.push_back({"peak memory", memory ? bytes_text(*memory) : "-", "of a process of this client"});
}

void load_bars(Node record, RunView& view) {
  Bars bars{"Rate of each loader", "B/s", {}, {}, {}};
  const auto dimension = amount(record.at("plan.vectors.dimension"));
  for (const Node rank : items_of(record["ranks"])) {
    const auto start = amount(rank["start_ns"]);
    const auto finish = amount(rank["finish_ns"]);
    const auto rows = amount(rank["inserted"]);
    const bool known = dimension && start && finish && rows && *finish > *start;
    bars.bars.push_back({figure_of(rank["rank"]),
                         known ? std::optional(*rows * *dimension * 4 / ((*finish - *start) / 1e9)) : std::nullopt, 2});
  }
  if (bars.bars.empty()) {
    view.bars = unknown("no vector was inserted");
  } else {
    view.bars = std::move(bars);
  }
}

}  // namespace

void view_vector_load(Node record, RunView& view) {
  load_answer(record, view);
  load_figures(record, view);
  load_time(record, view);
  load_bars(record, view);
  view.timeline = unknown("a load has no figures of single seconds");
  std::vector<Node> inserts;
  for (const Node rank : items_of(record["ranks"])) inserts.push_back(rank.at("latency.insert"));
  view.latencies = known_latencies({merged_latency("insert of a batch", inserts)});
  view.moved = moved_bytes(record);
  view.tables.push_back(figures_table(
      "All figures",
      {{"load", record["load"]}, {"seconds of steps", record["steps"]}, {"collection", record["collection"]}}));
}

}  // namespace mlps::reports::page
