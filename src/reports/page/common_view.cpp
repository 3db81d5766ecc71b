#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "base/units.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/page.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

/// What the reports on all benchmarks take from a record in the same way.
namespace mlps::reports::page {
namespace {

using rules::Node;

constexpr size_t kMostNotes = 40;
constexpr size_t kMostHosts = 24;
constexpr size_t kMostSettings = 400;

struct Kind {
  std::string_view benchmark;
  std::string_view commands;
  std::string_view schema;
  void (*view)(Node record, RunView& view);
};

constexpr std::array kKinds = {Kind{"training", "run", "mlpstorage.training/1", view_training},
                               Kind{"training", "datagen", "mlpstorage.datagen/1", view_datagen},
                               Kind{"checkpointing", "run", "mlpstorage.record/1", view_checkpointing},
                               Kind{"kvcache", "run", "mlpstorage.kvcache-record/1", view_kvcache},
                               Kind{"vectordb", "run datagen", "mlpstorage.vectordb-record/1", view_vectordb}};

// Adds the sentences that don't stand under a title before.
void add_notes(const char* title, std::vector<std::string> texts, RunView& view) {
  for (const auto& [other, notes] : view.notes) {
    std::erase_if(texts,
                  [&](const std::string& text) { return std::find(notes.begin(), notes.end(), text) != notes.end(); });
  }
  if (texts.empty()) return;
  if (texts.size() > kMostNotes) {
    const size_t rest = texts.size() - kMostNotes;
    texts.resize(kMostNotes);
    texts.push_back(fmt::format("... and {} more in the record", rest));
  }
  view.notes.emplace_back(title, std::move(texts));
}

void view_verdict(Node record, RunView& view) {
  view.verdict = record["verdict"].text_or("unknown");
  view.verdict_tone = view.verdict == "passed" ? Tone::kGood : Tone::kBad;
  std::vector<std::string> reasons = texts_of(record["reasons"]);
  const Node error = record["error"];
  if (error.is_object()) {
    const std::string text = fmt::format("[{}] {}", error["code"].text_or("?"), error["message"].text_or("no message"));
    reasons.push_back(text);
    for (const char* key : {"details", "suggestion"}) {
      if (const auto more = error[key].text()) reasons.push_back(*more);
    }
  }
  if (view.verdict == "incomplete" && reasons.empty()) {
    reasons.emplace_back("the run has not ended, or was killed: the figures are those up to then");
  }
  add_notes("Why the verdict is not 'passed'", std::move(reasons), view);
  add_notes("Not about the storage", texts_of(record["caveats"]), view);
  add_notes("No result of a storage system", texts_of(record["no_result_because"]), view);
  add_notes("Warnings", texts_of(record["warnings"]), view);
}

std::string start_text(Node record) {
  const std::string moment = record.at("time.run_start_utc").text_or("");
  if (moment.size() < 19) return record.at("invocation.run_datetime").text_or("at an unknown time");
  return fmt::format("{} {} UTC", moment.substr(0, 10), moment.substr(11, 8));
}

void view_head(Node record, RunView& view) {
  const Node invocation = record["invocation"];
  const auto word = [&](const char* key) { return invocation[key].text_or("?"); };
  view.title = fmt::format("{} {}", word("benchmark"), word("model"));
  view.subtitle = fmt::format("{} of {}, {} run on {}, {}", word("systemname"), word("orgname"), word("mode"),
                              record.at("store.location").text_or("unknown storage"), start_text(record));
  view.folder = word("run_folder");
  std::vector<std::string> words = texts_of(invocation["argv"]);
  for (std::string& argument : words) argument = shell_quoted(argument);
  view.command = join(words, " ");
  const Node tool = record["tool"];
  view.tool = fmt::format("mlpstorage {} ({}, {}), {}", tool["version"].text_or("?"), tool["commit"].text_or("?"),
                          tool["compiler"].text_or("?"), tool["io_engine"].text_or("I/O engine unknown"));
}

// Returns the options that stand on the command line, in the spelling of the record: "num_processes".
std::set<std::string> typed_options(Node invocation) {
  std::set<std::string> typed;
  for (std::string word : texts_of(invocation["argv"])) {
    if (!word.starts_with("--")) continue;
    word = word.substr(2, word.find('=') - 2);
    std::replace(word.begin(), word.end(), '-', '_');
    typed.insert(std::move(word));
  }
  return typed;
}

void view_settings(Node record, RunView& view) {
  SettingGroup workload{"Workload", {}};
  const Node values = record.at("configuration.values");
  for (const std::string& key : values.keys()) {
    if (workload.settings.size() == kMostSettings) break;
    const Node one = values[key];
    workload.settings.push_back({key, one["value"].text_or(""), one["source"].text_or("unknown")});
  }
  SettingGroup options{"Options", {}};
  const Node args = record.at("invocation.args");
  const std::set<std::string> typed = typed_options(record["invocation"]);
  for (const std::string& key : args.keys()) {
    if (options.settings.size() == kMostSettings) break;
    const Node one = args[key];
    if (!one.has_value()) continue;
    options.settings.push_back({key, one.text_or(one.dump()), typed.contains(key) ? "typed" : "not typed"});
  }
  SettingGroup store{"Storage", {}};
  const Node settings = record.at("store.settings");
  for (const char* key : {"location", "backend", "injected_fault"}) {
    const Node one = record["store"][key];
    if (one.has_value()) store.settings.push_back({key, one.text_or(one.dump()), "store"});
  }
  for (const std::string& key : settings.keys()) {
    if (store.settings.size() == kMostSettings) break;
    store.settings.push_back({key, settings[key].text_or(settings[key].dump()), "store"});
  }
  view.settings = {std::move(workload), std::move(options), std::move(store)};
  std::erase_if(view.settings, [](const SettingGroup& group) { return group.settings.empty(); });
}

std::vector<std::string> host_row(Node host) {
  const Node part = host["part"];
  const Node facts = host["start"];
  const auto bytes = [](Node node) { return amount(node) ? bytes_text(*amount(node)) : std::string("-"); };
  std::string cpu = "-";
  if (amount(part["cpu_user_s"]) && amount(part["cpu_system_s"])) {
    cpu = figure(*amount(part["cpu_user_s"]) + *amount(part["cpu_system_s"])) + " s";
  }
  const auto first = amount(host["first_rank"]);
  const auto ranks = amount(host["ranks"]);
  const std::string which = first && ranks && *ranks > 0
                                ? fmt::format("{} to {}", figure(*first), figure(*first + *ranks - 1))
                                : std::string("-");
  return {host["host"].text_or("?"),
          which,
          fmt::format("{} x {}", figure_of(facts.at("cpu.num_logical_cores")), facts.at("cpu.model").text_or("?")),
          bytes(facts.at("memory.total")),
          facts.at("system.os_release.PRETTY_NAME").text_or("?"),
          bytes(part["bytes_read"]),
          bytes(part["bytes_written"]),
          figure_of(part["retries"]),
          cpu,
          bytes(part["peak_rss_bytes"])};
}

void view_hosts(Node record, RunView& view) {
  Table table{"Hosts",
              {"host", "ranks", "processor", "memory", "system", "read", "written", "retries", "CPU", "peak memory"},
              {},
              {}};
  const std::vector<Node> hosts = items_of(record["hosts"]);
  for (const Node host : hosts) {
    if (table.rows.size() == kMostHosts) {
      table.rest = fmt::format("... and {} more in the record", hosts.size() - kMostHosts);
      break;
    }
    table.rows.push_back(host_row(host));
  }
  if (!table.rows.empty()) view.tables.push_back(std::move(table));
}

}  // namespace

bool has_report(std::string_view benchmark, std::string_view command) {
  return std::any_of(kKinds.begin(), kKinds.end(), [&](const Kind& one) {
    const std::vector<std::string> commands = split(one.commands, " ");
    return one.benchmark == benchmark && std::find(commands.begin(), commands.end(), command) != commands.end();
  });
}

Result<RunView> view_of(const rules::Document& record) {
  const std::string schema = record["schema"].text_or("");
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& one) { return one.schema == schema; });
  if (kind == kKinds.end()) {
    std::vector<std::string_view> known;
    for (const Kind& one : kKinds) known.push_back(one.schema);
    return fail(ErrorCode::kConfigInvalid,
                schema.empty() ? "it is no record of this program: it names no schema"
                               : fmt::format("there is no report on a record of the schema '{}'",
                                             terminal_text(schema.substr(0, 60))),
                fmt::format("there are reports on {}", join(known, ", ")),
                "name the folder of a run of training, checkpointing, kvcache or vectordb");
  }
  RunView view;
  view_verdict(record.root(), view);
  view_head(record.root(), view);
  kind->view(record.root(), view);
  settle_answer(record.root(), view);
  const std::string label = record.at("invocation.label").text_or("");
  if (!label.empty()) view.title = label + ": " + view.title;
  view_hosts(record.root(), view);
  view_settings(record.root(), view);
  return view;
}

}  // namespace mlps::reports::page
