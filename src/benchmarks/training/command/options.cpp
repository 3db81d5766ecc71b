#include "benchmarks/training/command/options.hpp"

#include <algorithm>

#include "session/load_search.hpp"

namespace mlps::cli {
namespace {

TrainingCommand command_of(std::string_view word) {
  if (word == "datagen") return TrainingCommand::kDatagen;
  if (word == "run") return TrainingCommand::kRun;
  return word == "configview" ? TrainingCommand::kConfigview : TrainingCommand::kDatasize;
}

// One number under three names: ranks of a run, generators of a data set, ranks a data set is for.
const char* process_flag(TrainingCommand command) {
  if (command == TrainingCommand::kDatasize) return "max-accelerators";
  return command == TrainingCommand::kDatagen ? "num-processes" : "num-accelerators";
}

}  // namespace

ParsedTraining parse_training(CommandLine line) {
  ParsedTraining parsed;
  TrainingOptions& options = parsed.options;
  options.which = command_of(line.command.word());
  options.model = line.model;
  Reader reader(line.tokens.settings, line.command, line.errors);
  read_benchmark(reader, line, options);
  options.processes = reader.small(process_flag(options.which));
  options.searches = reader.is_max(process_flag(options.which));
  options.num_client_hosts = reader.given("num-client-hosts") ? reader.small("num-client-hosts")
                                                              : static_cast<uint32_t>(options.hosts.hosts.size());
  options.data_dir = reader.text("data-dir");
  options.drop_caches_timeout_s = reader.small("drop-caches-timeout-seconds");
  if (reader.given("read-ahead")) options.read_ahead_bytes = reader.size("read-ahead");
  options.cleanup = reader.on("cleanup");
  if (reader.given("time")) options.early_end.time_s = reader.real("time");
  options.early_end.until_stable = reader.on("until-stable");
  options.workload_file = reader.text("workload-file");
  if (const auto file = line.files.find("workload-file"); file != line.files.end())
    options.workload_text = file->second;
  if (options.searches) {
    options.processes = static_cast<uint32_t>(std::max<size_t>(options.hosts.hosts.size(), 1));
    check_search_line("--num-accelerators max", reader, options, line.errors);
  }
  finish_benchmark(reader, line, options, line);
  static_cast<ParseOutcome&>(parsed) = std::move(line);
  return parsed;
}

RankDemand ranks_of(const TrainingOptions& options) {
  return {options.processes, options.which != TrainingCommand::kDatagen};
}

Result<Location> folder_of(const TrainingOptions& options, const Environment& environment) {
  return data_location({options.data_dir, options.model, {}, options.o_direct}, *options.protocol, environment);
}

std::vector<std::pair<std::string, std::string>> rows_of(const TrainingOptions& options) {
  const bool accelerates = options.which != TrainingCommand::kDatagen;
  return {{"data_dir", options.data_dir},
          {"data_access_protocol", std::string(protocol_name(options))},
          {accelerates ? "num_accelerators" : "num_processes",
           options.searches ? "max" : std::to_string(options.processes)}};
}

}  // namespace mlps::cli
