#include "cli/try/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/try/words.hpp"
#include "results/record_common.hpp"

namespace mlps::cli {
namespace {

using reports::page::RunView;

constexpr size_t kTextWidth = 80;
constexpr size_t kLabel = 14;  // with two blanks before it

std::string rate_text(double bytes_per_s) {
  return fmt::format("{}/s", human_bytes(static_cast<uint64_t>(bytes_per_s)));
}

std::string rate_of(rules::Node gib_per_s) {
  const auto value = gib_per_s.number();
  return value ? rate_text(*value * static_cast<double>(kGiB)) : "-";
}

std::string number_of(rules::Node node, int digits) {
  const auto value = node.number();
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string au_text(const run::EdgeAnswer& answer, uint64_t load) {
  const std::vector<double> values = answer.values_at(load);
  if (values.empty()) return "AU -";
  return fmt::format("AU {:.1f} %", *std::min_element(values.begin(), values.end()));
}

/// Breaks text at blanks into lines of the text's width, behind `head` on the first line and `indent` blanks on the
/// others. A word that is longer, such as a path, has a line of its own, whole.
std::string broken(const std::string& head, size_t indent, const std::string& text) {
  std::string result = head;
  size_t column = head.size();
  bool begun = false;
  for (const std::string& word : split(text, " ")) {
    if (begun && column + 1 + word.size() > kTextWidth) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (begun) {
      result += " ";
      ++column;
    }
    result += word;
    column += word.size();
    begun = true;
  }
  return result + "\n";
}

/// Breaks text at blanks, behind a label that stands once.
std::string block(std::string_view label, const std::string& text) {
  return broken(fmt::format("  {:<{}}", label, kLabel - 2), kLabel, text);
}

/// Puts phrases into lines behind a label, each whole where it fits on a line, as many as fit on two; the first one
/// always stands.
std::string phrase_lines(std::string_view label, const std::vector<std::string>& phrases) {
  constexpr size_t kMostLines = 2;
  std::vector<std::string> lines;
  for (const std::string& phrase : phrases) {
    const bool fits = !lines.empty() && lines.back().size() + 2 + phrase.size() + kLabel < kTextWidth;
    if (!fits && lines.size() == kMostLines) continue;
    if (!lines.empty()) lines.back() += fits ? "; " + phrase : ";";
    if (!fits) lines.push_back(phrase);
  }
  std::string text;
  for (const std::string& line : lines) text += block(text.empty() ? label : "", line);
  return text;
}

/// Returns what limited a run, with its first figure: the report has the others.
std::string limit_in_short(const std::string& limit) {
  std::string text = limit.substr(0, limit.find(", "));
  if (text.find('(') != std::string::npos && text.find(')') == std::string::npos) text += ")";
  return text;
}

std::string part_text(const TryPart& part) {
  if (!part.left_out.empty()) return block(part.name, "not tried: " + part.left_out);
  if (part.error)
    return block(part.name, fmt::format("FAILED: [{}] {}", code_name(part.error->code), part.error->message));
  std::string text = phrase_lines(part.name, part.headline);
  if (!part.limit.empty()) text += block("", "limited by " + limit_in_short(part.limit));
  return text;
}

/// Returns the greatest of what the runs say; nothing if none says it.
template <class Of>
std::optional<double> greatest(const TryOutcome& outcome, Of of) {
  std::optional<double> most;
  for (const TryPart& part : outcome.parts) {
    for (const RunView& run : part.runs) {
      if (const std::optional<double> value = of(run)) most = std::max(most.value_or(0), *value);
    }
  }
  return most;
}

std::string counted_text(const TryOutcome& outcome) {
  double claimed = 0, counted = 0;
  for (const TryPart& part : outcome.parts) {
    for (const RunView& run : part.runs) {
      if (!run.moved) continue;
      for (const auto& one : run.moved->directions) {
        if (!one.counted) continue;
        claimed += one.claimed;
        counted += *one.counted;
      }
    }
  }
  if (claimed <= 0) return "no kernel counter could be compared";
  return fmt::format("the kernel counted {:.0f} % of the bytes", 100 * counted / claimed);
}

std::string sure_text(const TryOutcome& outcome) {
  std::vector<std::string> phrases;
  for (const TryPart& part : outcome.parts) {
    if (part.name == "training" && !part.runs.empty() && !part.runs.front().sure.empty()) {
      phrases.push_back(part.runs.front().sure.front());
    }
  }
  const auto cached = greatest(outcome, [](const RunView& run) { return run.cached_share; });
  phrases.push_back(cached ? fmt::format("{:.1f} % from the page cache", 100 * *cached)
                           : "share of the page cache unknown");
  phrases.push_back(counted_text(outcome));
  const auto client = greatest(outcome, [](const RunView& run) { return run.client_share; });
  phrases.push_back(client ? fmt::format("client {:.1f} % of the time at most", 100 * *client)
                           : "client share unknown");
  return join(phrases, "; ");
}

/// Returns what stands over everything else where no storage was measured.
std::string caution(const TryOutcome& outcome) {
  if (outcome.null) return "NO STORAGE was measured: null:// keeps nothing. This is what this client can ask for.";
  if (outcome.memory) return "THIS IS MEMORY, no storage: tmpfs. Name a folder on the storage that is asked about.";
  const auto cached = greatest(outcome, [](const RunView& run) { return run.cached_share; });
  if (cached.value_or(0) >= 0.1) return "PARTLY MEMORY: what was read stood in the page cache, and rates are too high.";
  return {};
}

}  // namespace

std::vector<std::string> feeds_phrases(const run::EdgeAnswer& answer, double rate, const TryAccelerator& accelerator,
                                       const std::vector<TryAccelerator>& all) {
  const std::string_view model = accelerator.model.name;
  const std::string need = fmt::format("{} of {}", rate_text(rate), rate_text(accelerator.bytes_per_s()));
  if (!answer.edge && answer.stop == run::EdgeStop::kClient) {
    return {fmt::format("no answer, this client was too slow: {} for one {} on {}", need, accelerator.name, model)};
  }
  std::vector<std::string> phrases;
  if (!answer.edge) {
    phrases.push_back(fmt::format("{} feeds 0 {} ({})", model, accelerator.name, need));
    const auto fed = std::find_if(all.rbegin(), all.rend(), [&](const auto& one) { return one.fed_by(rate) >= 1; });
    if (fed != all.rend()) {
      phrases.push_back(
          fmt::format("by its rate {:.0f} {} on {}", std::floor(fed->fed_by(rate)), fed->name, fed->model.name));
    }
    return phrases;
  }
  std::string text =
      fmt::format("{} feeds {} {} ({})", model, *answer.edge, accelerator.name, au_text(answer, *answer.edge));
  const bool next = answer.not_met && *answer.not_met == *answer.edge + 1;
  if (answer.not_met) {
    text += fmt::format(", not {} ({}{})", *answer.not_met, au_text(answer, *answer.not_met),
                        answer.stop == run::EdgeStop::kClient ? ": this client was too slow" : "");
  }
  phrases.push_back(std::move(text));
  if (!next) phrases.push_back(fmt::format("by its rate about {:.0f}", std::floor(accelerator.fed_by(rate))));
  const TryAccelerator& most = all.back();
  if (most.name != accelerator.name || most.model.word != accelerator.model.word) {
    phrases.push_back(fmt::format("{} were read, one {} on {} asks for {}", rate_text(rate), most.name, most.model.name,
                                  rate_text(most.bytes_per_s())));
  }
  return phrases;
}

std::vector<std::string> checkpoint_phrases(const TryCheckpoints& checkpoints) {
  const auto whole = [&](double rate) { return human_seconds(checkpoints.model_bytes / rate); };
  return {fmt::format("{} writes {}, reads {}", kTryCheckpointName, rate_text(checkpoints.write_rate()),
                      rate_text(checkpoints.read_rate())),
          fmt::format("saved in {}, loaded in {}", whole(checkpoints.write_rate()), whole(checkpoints.read_rate()))};
}

std::vector<std::string> kvcache_phrases(const rules::Document& record) {
  const rules::Node result = record["results"].item(0);
  const rules::Node option = record.at("plan.options").item(0);
  return {fmt::format("{} users of {}: {} requests/s, {} of them in time", number_of(option["users_per_rank"], 0),
                      option.at("model.key").text_or("?"), number_of(result["requests_per_s"], 1),
                      number_of(result["good_requests_per_s"], 1)),
          fmt::format("reads {}", rate_of(result["storage_read_gib_per_s"])),
          fmt::format("writes {}", rate_of(result["storage_write_gib_per_s"]))};
}

std::vector<std::string> vectordb_phrases(const rules::Document& record) {
  const rules::Node window = record["windows"].item(0);
  const auto queries = window["queries_per_s"].number();
  const auto reads = window.at("per_query.reads").number();
  return {fmt::format("{}: {} queries/s at recall {}", record.at("plan.index.type").text_or("?"),
                      number_of(window["queries_per_s"], 0), number_of(window.at("recall.mean"), 2)),
          fmt::format("p99 {} ms", number_of(window.at("latency.p99_ms"), 1)),
          fmt::format("{} reads/s", queries && reads ? grouped(static_cast<uint64_t>(*queries * *reads)) : "-")};
}

std::string try_text(const TryOutcome& outcome) {
  std::string text = broken("", 2, fmt::format("{}, {:.0f} s", outcome.place, outcome.seconds));
  if (const std::string warning = caution(outcome); !warning.empty()) text += broken("", 0, warning);
  text += "\n";
  for (const TryPart& part : outcome.parts) text += part_text(part);
  text += block("sure", sure_text(outcome));
  return text + block("report", outcome.folder + "/report.html");
}

Json try_json(const TryOutcome& outcome) {
  Json json{{"schema", "mlpstorage.try/1"},
            {"place", outcome.place},
            {"measures_storage", !outcome.memory && !outcome.null},
            {"seconds", outcome.seconds},
            {"folder", outcome.folder}};
  Json parts = Json::array();
  for (const TryPart& part : outcome.parts) {
    Json folders = Json::array();
    for (const RunView& run : part.runs) folders.push_back(run.folder);
    parts.push_back({{"name", part.name},
                     {"headline", part.headline},
                     {"limited_by", part.limit.empty() ? Json() : Json(part.limit)},
                     {"not_tried_because", part.left_out.empty() ? Json() : Json(part.left_out)},
                     {"error", results::error_json(part.error)},
                     {"figures", part.figures},
                     {"runs", std::move(folders)}});
  }
  json["parts"] = std::move(parts);
  return json;
}

}  // namespace mlps::cli
