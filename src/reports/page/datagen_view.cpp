#include <fmt/format.h>

#include "base/text.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

namespace mlps::reports::page {
namespace {

using rules::Node;

// Returns the bytes of files that were written per second; nothing where nothing was written.
std::optional<double> written_per_s(Node record) {
  const auto bytes = amount(record["bytes_written"]);
  const auto seconds = amount(record["seconds"]);
  return bytes && seconds && *bytes > 0 && *seconds > 0 ? std::optional(*bytes / *seconds) : std::nullopt;
}

void datagen_answer(Node record, RunView& view) {
  const std::string model = record.at("invocation.model").text_or("?");
  const auto files = amount(record["files"]);
  const auto bytes = amount(record["bytes_written"]);
  view.title = fmt::format("Data set {}, {}", model, files ? counted(*files, "file", "files") : "-");
  if (const auto rate = written_per_s(record)) {
    view.answer = fmt::format("Data set {}: {} written at {}", model, bytes_text(*bytes), rate_text(*rate));
  } else {
    view.answer = fmt::format("Data set {}: nothing was written", model);
  }
  AnswerLine line{"files", {}, 2};
  line.phrases.push_back(fmt::format("{} written ({} of them repaired), {} found whole, {} in all",
                                     figure_of(record["files_written"]), figure_of(record["files_repaired"]),
                                     figure_of(record["files_kept"]), figure_of(record["files"])));
  view.lines.push_back(std::move(line));
  const auto verified = amount(record["bytes_verified"]);
  if (verified && *verified > 0) view.sure.push_back(bytes_text(*verified) + " verified");
  if (view.verdict == "passed") {
    view.next = fmt::format("read it: training {} run, with the same --params", model);
  }
}

void datagen_limit(Node record, RunView& view) {
  auto stack = worker_time("I/O threads", record["worker_time"], "prepare_ns", "idle_ns");
  if (!stack) {
    view.time = unknown("no thread wrote anything");
    return;
  }
  const double storage = stack->shares[0].share;
  const bool is_near = record.at("store.file_system").boolean().value_or(true);
  view.limit = fmt::format("{}: I/O threads {} in storage calls, {} making data",
                           storage < 0.5 ? "this client"
                           : is_near     ? "storage"
                                         : "storage or network",
                           share_text(storage), share_text(stack->shares[1].share));
  view.limit_details.push_back("writes " + latency_text(record.at("latency.write")));
  view.time = std::vector{std::move(*stack)};
}

}  // namespace

void view_datagen(Node record, RunView& view) {
  datagen_answer(record, view);
  datagen_limit(record, view);
  const auto rate = written_per_s(record);
  view.key_figures.push_back({"written at", rate ? rate_text(*rate) : "-", "of what was missing"});
  view.key_figures.push_back(
      {"files", figure_of(record["files_written"]), "written, of " + figure_of(record["files"])});
  const Node latency = record["latency"];
  view.key_figures.push_back({"write p99", time_of(latency.at("write.p99_ns")), latency_text(latency["write"])});
  view.key_figures.push_back({"retries", figure_of(record["retries"]), ""});
  view.timeline = unknown("the writing of a data set has no figures of single seconds");
  view.bars = unknown("the writing of a data set has no epochs");
  view.latencies = known_latencies({latency_of("write", latency["write"]), latency_of("commit", latency["commit"])});
  view.moved = moved_bytes(record);
  view.tables.push_back(figures_table(
      "All figures", {{"", record["write_plan"]}, {"latency", latency}, {"worker_time", record["worker_time"]}}));
}

}  // namespace mlps::reports::page
