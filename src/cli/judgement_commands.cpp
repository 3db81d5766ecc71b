#include "cli/judgement_commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/output.hpp"
#include "base/text.hpp"
#include "cli/program_words.hpp"
#include "cli/utilities.hpp"
#include "flags/layers.hpp"
#include "flags/values.hpp"
#include "reports/reportgen.hpp"
#include "results/run_folder.hpp"
#include "rules/validate.hpp"

namespace mlps::cli {
namespace {

std::string nearest_rules(const std::string& id) {
  const auto distance = [&](const rules::Rule* one) {
    return std::min(edit_distance(lower(one->id), lower(id)), edit_distance(lower(one->name), lower(id)));
  };
  const rules::Rule* nearest = rules::all_rules().front();
  for (const rules::Rule* rule : rules::all_rules()) {
    if (distance(rule) < distance(nearest)) nearest = rule;
  }
  const std::string likely =
      2 * distance(nearest) <= id.size() ? fmt::format("did you mean {}? ", nearest->id) : std::string();
  return likely + "'mlpstorage rules list' has all of them";
}

}  // namespace

int rules_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words) {
  if (command.is(kRulesList)) {
    print(settings.contains("json") ? rules::rules_json().dump(2) + "\n" : rules::rules_table());
    return kExitSuccess;
  }
  const rules::Rule* rule = rules::find_rule(words[0]);
  if (rule == nullptr) {
    return report(
        {ErrorCode::kConfigInvalid, fmt::format("there is no rule {}", words[0]), {}, nearest_rules(words[0])});
  }
  print(rules::rule_text(*rule));
  return kExitSuccess;
}

int validate_command(const CommandSyntax& command, const Settings& settings, const std::vector<std::string>& words) {
  std::vector<Error> errors;
  Reader reader(settings, command, errors);
  rules::ValidateOptions options;
  options.submitters = split(reader.text("submitters"), ", ");
  const std::string edition = reader.text("edition");
  const std::string version = reader.text("mlperf-version");
  if (!edition.empty() && !version.empty() && edition != version) {
    errors.push_back({ErrorCode::kConfigIncompatible,
                      "--edition and --mlperf-version name different editions",
                      {},
                      "give one of them"});
  }
  if (!edition.empty() || !version.empty()) options.edition = edition.empty() ? version : edition;
  options.as_3046 = reader.on("compat");
  options.skip_output_file = reader.on("skip-output-file");
  options.reference_checksum = lower(reader.text("reference-checksum"));
  const std::string csv = reader.text("csv");
  const bool json = reader.on("json");
  if (!errors.empty()) return report(errors);
  const Result<rules::Tree> tree = rules::Tree::open(words[0]);
  if (!tree) return report(tree.error());
  const Result<rules::Judgement> judgement = rules::validate(*tree, options);
  if (!judgement) return report(judgement.error());
  print(json ? rules::judgement_json(*judgement).dump(2) + "\n" : rules::judgement_text(*judgement));
  if (!csv.empty()) {
    const Status written = results::write_file(csv, rules::judgement_csv(*judgement));
    if (!written) return report(written.error());
  }
  return judgement->count(rules::Severity::kError) == 0 ? kExitSuccess : exit_code(ErrorCode::kValidationInvalid);
}

int reportgen_command(const CommandSyntax& command, const Environment& environment, Settings& settings) {
  const LayerNotes layers = apply_layers(command, environment, settings);
  std::vector<Error> errors = layers.errors;
  Reader reader(settings, command, errors);
  const std::string folder = reader.text("results-dir");
  const reports::ReportOptions options{reader.text("systemname")};
  const bool strict = reader.on("strict");
  const bool json = reader.on("json");
  reader.report_missing();
  if (!errors.empty()) return report(errors);
  const Result<rules::Tree> tree = rules::Tree::open(folder);
  if (!tree) return report(tree.error());
  const Result<reports::Report> made = reports::generate(*tree, options);
  if (!made) return report(made.error());
  print(json ? reports::report_json(*made).dump(2) + "\n" : reports::report_text(*made));
  return strict && !made->is_clean() ? exit_code(ErrorCode::kValidationInvalid) : kExitSuccess;
}

}  // namespace mlps::cli
