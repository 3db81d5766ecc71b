#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/record_parts.hpp"
#include "reports/page/run_view.hpp"

/// What the answers of all benchmarks have in common.
namespace mlps::reports::page {
namespace {

using rules::Node;

// From this share of the reads on, a rate is told to be of memory.
constexpr double kFromMemory = 0.1;
// A warning is repeated up to here; the page and the log have all of it.
constexpr size_t kWarningBytes = 110;

/// Returns whether the storage is a file system in memory: its check by the kernel's counters names it.
bool is_in_memory(Node record) {
  for (const Node check : items_of(record["cross_check"])) {
    const std::string text = check["text"].text_or("");
    if (text.starts_with("not checkable: tmpfs") || text.starts_with("not checkable: ramfs")) return true;
  }
  return false;
}

bool has_check(Node record, std::string_view result) {
  const std::vector<Node> checks = items_of(record["cross_check"]);
  return std::any_of(checks.begin(), checks.end(), [&](Node check) { return check["result"].text_or("") == result; });
}

/// Returns why the rates of a run are not, or not only, those of a storage device: memory served it.
std::optional<std::string> memory_note(Node record, RunView& view) {
  if (is_in_memory(record)) return "tmpfs is memory";
  if (view.cached_share.value_or(0) >= kFromMemory) {
    return fmt::format("{} was in the page cache before reading", share_text(*view.cached_share));
  }
  const Moved* read = direction_of(view.moved, "read");
  if (has_check(record, "less") && read != nullptr && read->counted && *read->counted < 0.9 * read->claimed) {
    return fmt::format("the devices read {} of the bytes", share_text(*read->counted / read->claimed));
  }
  return std::nullopt;
}

/// Lets the headline say what keeps the figures from being an answer. Returns whether nothing does.
bool settle_headline(Node record, RunView& view) {
  const bool holds_nothing = record.at("store.holds_objects").boolean() == false;
  if (view.verdict != "passed") {
    view.answer = fmt::format("{}: no answer", view.verdict == "failed"        ? "FAILED"
                                               : view.verdict == "interrupted" ? "INTERRUPTED"
                                                                               : "INCOMPLETE, still running or killed");
    view.answer_tone = Tone::kBad;
  } else if (holds_nothing) {
    view.answer = "NO STORAGE was measured: null:// keeps nothing";
    view.answer_tone = Tone::kNeutral;
    view.next = "give a path or a bucket instead of null:// to measure a storage";
  } else if (record["caveats"].size() > 0) {
    view.answer = "NO ANSWER about the storage: this client was too slow";
    view.answer_tone = Tone::kNeutral;
    view.next = "fewer ranks on this host, more hosts (--hosts), or more processors";
  } else if (const auto memory = memory_note(record, view)) {
    const bool partly = !is_in_memory(record) && view.cached_share.value_or(0) < 0.9;
    view.answer += is_in_memory(record) ? ", IN MEMORY" : partly ? ", PARTLY FROM MEMORY" : ", FROM MEMORY";
    view.aside = *memory + (view.aside.empty() ? "" : "; " + view.aside);
    if (view.answer_tone == Tone::kGood) view.answer_tone = Tone::kNeutral;
    view.next = is_in_memory(record) ? "give a place on the storage that is asked about"
                                     : "more data than memory, or --o-direct (files) against the cache";
  }
  const bool is_answer = view.verdict == "passed" && view.next.empty();
  if (!record.at("store.injected_fault").text_or("").empty()) view.answer += ", WITH FAULTS INJECTED";
  return is_answer;
}

void add_error(Node record, RunView& view) {
  const Node error = record["error"];
  if (error.is_object()) {
    view.lines.insert(
        view.lines.begin(),
        {"error", {fmt::format("[{}] {}", error["code"].text_or("?"), error["message"].text_or("?"))}, 2});
    if (const auto suggestion = error["suggestion"].text(); suggestion && !suggestion->empty()) {
      view.next = *suggestion;
    }
  } else if (const auto reasons = texts_of(record["reasons"]); !reasons.empty()) {
    view.lines.insert(view.lines.begin(), {"reasons", reasons, 2});
  }
}

/// Returns what the kernel's counters say to the bytes of the run: always, as it is the best reason to believe them.
std::string counters_text(Node record, RunView& view) {
  const std::vector<Node> checks = items_of(record["cross_check"]);
  if (checks.empty()) return "kernel counters not compared: the run has no end";
  std::vector<std::string> devices;
  for (const Node check : checks) {
    const std::string counters = check["counters"].text_or("");
    if (!counters.empty() && std::find(devices.begin(), devices.end(), counters) == devices.end()) {
      devices.push_back(counters);
    }
  }
  std::vector<std::string> shares;
  if (view.moved) {
    for (const Moved& one : view.moved->directions) {
      if (!one.counted || !(one.claimed > 0)) continue;
      shares.push_back(fmt::format("{}{} {}", share_text(*one.counted / one.claimed),
                                   shares.empty() ? " of the bytes" : "", one.direction));
    }
  }
  if (shares.empty()) {
    const std::string why = checks.front()["text"].text_or("");
    if (checks.front()["result"].text_or("") == "nothing_moved") return "nothing moved that a kernel could count";
    return "kernel counters: " + (why.empty() ? "not compared" : why);
  }
  const std::string who =
      devices.size() > 2 ? counted(static_cast<double>(devices.size()), "device", "devices") : join(devices, ", ");
  const bool agrees = !has_check(record, "less") && !has_check(record, "more") && !has_check(record, "not_checkable");
  return fmt::format("{} counted {}{}", who, join(shares, ", "),
                     agrees                      ? ""
                     : has_check(record, "less") ? ": TOO FEW"
                                                 : ": more than this run moved");
}

void add_sure(Node record, RunView& view) {
  std::vector<std::string> phrases = view.sure;
  if (view.cached_share) phrases.push_back(share_text(*view.cached_share) + " cached before reading");
  phrases.push_back(counters_text(record, view));
  std::optional<double> retries;
  for (const Node host : items_of(record["hosts"])) {
    if (const auto count = amount(host.at("part.retries"))) retries = retries.value_or(0) + *count;
  }
  if (retries) phrases.push_back(*retries > 0 ? counted(*retries, "retry", "retries") : "no retries");
  phrases.push_back(
      "client " + (view.client_share ? share_text(*view.client_share) + " of the time" : std::string("share unknown")));
  view.lines.push_back({"sure", std::move(phrases), 2});
}

/// Returns a warning without its numbers: of those that differ in them alone, the first one stands for all.
std::string kind_of(std::string warning) {
  std::erase_if(warning, [](unsigned char c) { return std::isdigit(c) != 0; });
  return warning;
}

void add_warnings(Node record, RunView& view) {
  std::vector<std::string> all = texts_of(record["caveats"]);
  const std::vector<std::string> warnings = texts_of(record["warnings"]);
  all.insert(all.end(), warnings.begin(), warnings.end());
  std::vector<std::string> kinds;
  std::vector<std::string> phrases;
  for (const std::string& warning : all) {
    // Another line says what the counters say, and the first error.
    if (warning.starts_with("cross-check with the kernel's counters")) continue;
    if (record["error"].is_object() && warning.find(record.at("error.message").text_or("")) != std::string::npos)
      continue;
    std::string kind = kind_of(warning);
    if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    kinds.push_back(std::move(kind));
    phrases.push_back(harmless(warning, kWarningBytes));
  }
  if (phrases.empty()) phrases.emplace_back("none");
  if (phrases.size() > 1) phrases.front() = fmt::format("{}: {}", phrases.size(), phrases.front());
  view.lines.push_back({"warnings", std::move(phrases), 2});
}

void add_mlperf(Node record, RunView& view) {
  if (view.verdict != "passed") {
    view.lines.push_back({"MLPerf", {"no figures: the run did not pass"}, 1});
    return;
  }
  std::vector<std::string> phrases = view.mlperf;
  const std::string mode = record.at("invocation.mode").text_or("?");
  const std::vector<std::string> why = texts_of(record["no_result_because"]);
  if (!why.empty()) {
    phrases.push_back("no submission: " + why.front().substr(0, why.front().find(": ")));
  } else {
    phrases.push_back(mode == "whatif" ? "whatif: no submission" : mode + " run");
  }
  view.lines.push_back({"MLPerf", std::move(phrases), 2});
}

}  // namespace

void settle_answer(Node record, RunView& view) {
  const bool is_answer = settle_headline(record, view);
  if (is_answer && !view.feeds.empty() && !view.lines.empty()) {
    std::vector<std::string>& phrases = view.lines.front().phrases;
    phrases.insert(phrases.begin() + std::min<ptrdiff_t>(1, std::ssize(phrases)), view.feeds);
  }
  add_error(record, view);
  if (!view.limit.empty()) {
    std::vector<std::string> phrases = {view.limit};
    phrases.insert(phrases.end(), view.limit_details.begin(), view.limit_details.end());
    view.lines.push_back({"limited by", std::move(phrases), 2});
  }
  add_sure(record, view);
  add_warnings(record, view);
  add_mlperf(record, view);
  if (view.next.empty() && view.verdict == "passed") {
    view.next = "see report.html there; two runs: mlpstorage compare OLD NEW";
  }
  if (!view.next.empty()) view.lines.push_back({"next", {view.next}, 1});
}

}  // namespace mlps::reports::page
