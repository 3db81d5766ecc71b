#include "cli/runs_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/numbers.hpp"
#include "base/output.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/program_words.hpp"
#include "cli/utilities.hpp"
#include "flags/values.hpp"
#include "reports/runs.hpp"
#include "results/text_table.hpp"
#include "rules/rule.hpp"

namespace mlps::cli {
namespace {

using reports::Run;
using reports::RunState;
using Runs = std::vector<Run>;

// "vectordb" and "kvcache" on the command line are other words in the tree.
std::string family_of(const std::string& word) {
  return word == "vectordb" ? "vector_database" : word == "kvcache" ? "kv_cache" : word;
}

Runs filtered(Runs runs, Reader& reader) {
  const auto keep = [&](const char* flag, const auto& value_of) {
    const std::string wanted = reader.given(flag) ? reader.text(flag) : std::string();
    if (!wanted.empty()) std::erase_if(runs, [&](const Run& run) { return value_of(run) != family_of(wanted); });
  };
  keep("mode", [](const Run& run) { return run.mode; });
  keep("benchmark", [](const Run& run) { return run.benchmark; });
  keep("model", [](const Run& run) { return run.model; });
  keep("systemname", [](const Run& run) { return run.system; });
  keep("status", [](const Run& run) { return std::string(name_of(run.state)); });
  return runs;
}

std::string verdict_word(const Run& run) {
  if (run.state == RunState::kIncomplete || run.state == RunState::kRunning) return "-";
  return run.verdict.empty()        ? run.verification.empty() ? "-" : run.verification
         : run.verification.empty() ? run.verdict
                                    : fmt::format("{}, {}", run.verdict, run.verification);
}

Json run_json(const Run& run) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return {{"id", run.id},
          {"leaf", run.leaf},
          {"status", name_of(run.state)},
          {"verdict", text(run.verdict)},
          {"verification", text(run.verification)},
          {"mode", run.mode},
          {"orgname", run.orgname},
          {"systemname", run.system},
          {"benchmark", run.benchmark},
          {"model", run.model},
          {"command", run.command},
          {"run_datetime", run.run_datetime},
          {"code_image", text(run.code_image)},
          {"size_bytes", run.bytes},
          {"registered_at", text(run.registered_at)}};
}

int list(const Runs& runs, bool json) {
  if (json) {
    Json all = Json::array();
    for (const Run& run : runs) all.push_back(run_json(run));
    print(all.dump(2) + "\n");
    return kExitSuccess;
  }
  std::vector<std::vector<std::string>> rows = {{"id", "status", "verdict", "mode", "system", "run", "size"}};
  uint64_t bytes = 0;
  for (const Run& run : runs) {
    bytes += run.bytes;
    rows.push_back({std::to_string(run.id), std::string(name_of(run.state)), verdict_word(run), run.mode,
                    printable(run.system),
                    printable(fmt::format("{} {} {} {}", run.benchmark, run.model, run.command, run.run_datetime)),
                    human_bytes(run.bytes)});
  }
  print(results::aligned_rows(rows, 0) +
        fmt::format("{}, {}\n", counted(static_cast<double>(runs.size()), "run"), human_bytes(bytes)));
  return kExitSuccess;
}

Error no_such_run(const std::string& word) {
  return {
      ErrorCode::kConfigInvalid, fmt::format("there is no run '{}'", word), {}, "'mlpstorage runs list' has the ids"};
}

const Run* find_run(const Runs& runs, const std::string& word) {
  const auto id = parse_number<uint64_t>(word);
  const auto found = std::find_if(runs.begin(), runs.end(), [&](const Run& run) { return id && run.id == *id; });
  return found == runs.end() ? nullptr : &*found;
}

int show(const rules::Tree& tree, const Runs& runs, const std::string& word, bool json) {
  const Run* run = find_run(runs, word);
  if (run == nullptr) return report(no_such_run(word));
  if (json) {
    print(run_json(*run).dump(2) + "\n");
    return kExitSuccess;
  }
  const rules::Names kNotShown = {"parameters", "args", "system_info", "cluster_snapshots"};
  rules::Problems ignored;
  results::LabelledLines lines(22);
  const Json facts = run_json(*run);
  for (const auto& [key, value] : facts.members()) {
    if (key != "size_bytes") lines.add(key, value.text() != nullptr ? printable(*value.text()) : value.dump());
  }
  lines.add("size", human_bytes(run->bytes));
  const std::string image = run->code_image.substr(std::min(run->code_image.size(), run->code_image.find(':') + 1), 8);
  if (!image.empty()) {
    const bool is_there = tree.has("code-images/code-" + image) || tree.has(run->orgname + "/code-" + image);
    lines.add("code image is there", is_there ? "yes" : "no");
  }
  std::string text = lines.text();
  for (const rules::Entry& entry : tree.list(run->leaf, ignored)) {
    text += fmt::format("  {}{}\n", printable(entry.name), entry.is_folder ? "/" : "");
    if (!entry.name.ends_with("_metadata.json")) continue;
    const rules::Document metadata = tree.json(rules::joined(run->leaf, entry.name), ignored);
    for (const std::string& key : metadata.root().keys()) {
      if (rules::is_one_of(kNotShown, key)) continue;
      text += fmt::format("    {}: {}\n", printable(key), printable(metadata[key].dump(), 120));
    }
  }
  print(text);
  return kExitSuccess;
}

// Returns the name of the earliest run folder that isn't older than this: a length of time, or a date.
Result<std::string> oldest_kept(const std::string& text) {
  constexpr int64_t kMicros = 1'000'000;
  const std::map<char, int64_t> kUnits = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
  if (!text.empty() && kUnits.contains(text.back())) {
    const auto count = parse_number<uint64_t>(text.substr(0, text.size() - 1));
    if (count && *count < 1'000'000) {
      return run_stamp(Stamp::now().wall_us - static_cast<int64_t>(*count) * kUnits.at(text.back()) * kMicros);
    }
  }
  const bool is_date = text.size() == 10 && rules::parse_moment(text + "T00:00:00");
  if (is_date) return text.substr(0, 4) + text.substr(5, 2) + text.substr(8, 2) + "_000000";
  return fail(ErrorCode::kConfigInvalid, fmt::format("--older-than: '{}' is no length of time and no date", text), {},
              "give 12h, 7d, 2w, or 2026-07-31");
}

// Leaves the newest runs of each workload and command out.
void keep_last(Runs& runs, uint64_t count) {
  std::map<std::string, std::vector<const Run*>> groups;
  for (const Run& run : runs) {
    groups[fmt::format("{}/{}/{}/{}/{}", run.mode, run.system, run.benchmark, run.model, run.command)].push_back(&run);
  }
  std::vector<std::string> kept;
  for (auto& [key, group] : groups) {
    std::sort(group.begin(), group.end(),
              [](const Run* one, const Run* other) { return one->run_datetime > other->run_datetime; });
    for (size_t i = 0; i < std::min<size_t>(group.size(), count); ++i) kept.push_back(group[i]->leaf);
  }
  std::erase_if(runs, [&](const Run& run) { return std::find(kept.begin(), kept.end(), run.leaf) != kept.end(); });
}

Result<Runs> chosen_runs(const Runs& all, Reader& reader, const std::vector<std::string>& words) {
  Runs runs = all;
  if (!words.empty()) {
    runs.clear();
    for (const std::string& word : words) {
      const Run* run = find_run(all, word);
      if (run == nullptr) return fail(no_such_run(word));
      runs.push_back(*run);
    }
  } else if (!reader.given("status") && !reader.given("older-than") && !reader.given("keep-last")) {
    return fail(ErrorCode::kConfigMissing, "runs rm: nothing says which runs", {},
                "give ids, --status, --older-than or --keep-last");
  }
  runs = filtered(std::move(runs), reader);
  if (reader.given("older-than")) {
    const Result<std::string> oldest = oldest_kept(reader.text("older-than"));
    if (!oldest) return fail(oldest.error());
    std::erase_if(runs, [&](const Run& run) { return run.run_datetime >= *oldest; });
  }
  if (const auto count = reader.optional_integer("keep-last")) keep_last(runs, *count);
  for (const Run& run : runs) {
    if (run.state == RunState::kRunning) {
      return fail(ErrorCode::kConfigInvalid, fmt::format("run {} is running now: {}", run.id, run.leaf), {},
                  "wait for its end, or stop it");
    }
  }
  return runs;
}

int only_shown(size_t count, std::string_view one, std::string_view many, std::string_view what) {
  print(fmt::format("{} would be {}: nothing was changed; add --yes to do it\n",
                    counted(static_cast<double>(count), one, many), what));
  return kExitSuccess;
}

int remove(const rules::Tree& tree, const Runs& runs, bool really) {
  list(runs, false);
  if (runs.empty()) return kExitSuccess;
  if (!really) return only_shown(runs.size(), "run", "runs", "moved into the trash");
  std::vector<std::string> folders;
  for (const Run& run : runs) folders.push_back(run.leaf);
  const Result<std::string> batch = reports::move_to_trash(tree, folders);
  if (!batch) return report(batch.error());
  if (const Status noted = reports::note_trashed(tree, runs, *batch); !noted) return report(noted.error());
  print(fmt::format("moved to {}; 'mlpstorage runs purge' removes it\n", tree.absolute(*batch)));
  return kExitSuccess;
}

int purge(const rules::Tree& tree, bool really) {
  const Result<reports::Purged> purged = reports::purge_trash(tree, really);
  if (!purged) return report(purged.error());
  print(fmt::format("{} batches, {}\n", purged->batches, human_bytes(purged->bytes)));
  if (really || purged->batches == 0) return kExitSuccess;
  return only_shown(purged->batches, "batch", "batches", "removed for ever");
}

int collect_images(const rules::Tree& tree, const Runs& runs, bool really) {
  const std::vector<std::string> unused = reports::unused_images(tree, runs);
  for (const std::string& image : unused) {
    print(fmt::format("{}  {}\n", printable(image), human_bytes(reports::bytes_below(tree, image))));
  }
  if (!really || unused.empty())
    return only_shown(unused.size(), "code image without a run", "code images without a run", "moved into the trash");
  const Result<std::string> batch = reports::move_to_trash(tree, unused);
  if (!batch) return report(batch.error());
  print(fmt::format("moved to {}\n", tree.absolute(*batch)));
  return kExitSuccess;
}

}  // namespace

int runs_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words,
                 const std::string& results_dir) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  const bool really = reader.on("yes");
  const bool json = reader.on("json");
  const Result<rules::Tree> tree = rules::Tree::open(results_dir);
  if (!tree) return report(tree.error());
  if (command.is(kRunsPurge)) return purge(*tree, really);
  const Result<Runs> runs = reports::list_runs(*tree);
  if (!runs) return report(runs.error());
  const Runs shown = filtered(*runs, reader);
  if (!errors.empty()) return report(errors);
  if (command.is(kRunsList)) return list(shown, json);
  if (command.is(kRunsShow)) return show(*tree, *runs, words[0], json);
  if (command.is(kRunsGc)) return collect_images(*tree, *runs, really);
  const Result<Runs> chosen = chosen_runs(*runs, reader, words);
  if (!errors.empty()) return report(errors);
  return chosen ? remove(*tree, *chosen, really) : report(chosen.error());
}

}  // namespace mlps::cli
