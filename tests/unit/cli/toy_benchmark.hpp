#pragma once

#include <array>

#include "results/folder_writer.hpp"
#include "session/cluster.hpp"
#include "session/command.hpp"
#include "session/execution.hpp"
#include "session/placement.hpp"

/// All that a benchmark needs to have words, a flag, help, a run and a result: the least one there can be.
namespace mlps::cli::test {

inline constexpr CommandMask kToyRun = own_command(0);
inline constexpr std::array kToySubcommands{Subcommand{
    .word = "run", .text = "let drops fall", .command = kToyRun | kOfBenchmark | kOnStorage | kPlansIo | kRuns}};
inline constexpr std::array kToyFlags{row_for(kSeedFlag, kToyRun, kNoCommand, "Seed of the weather."),
                                      Flag{.name = "drops",
                                           .kind = FlagKind::kInteger,
                                           .minimum = 1,
                                           .maximum = 9,
                                           .commands = kToyRun,
                                           .required = kToyRun,
                                           .text = "Drops that fall."}};

struct ToyOptions : BenchmarkOptions {
  uint32_t drops = 0;
};

class ToyTask final : public Command {
 public:
  explicit ToyTask(ToyOptions options) : options_(std::move(options)) {}
  BenchmarkOptions& options() override { return options_; }
  RankDemand ranks() const override { return {options_.drops, false}; }
  std::vector<std::pair<std::string, std::string>> summary_rows() const override {
    return {{"drops", std::to_string(options_.drops)}};
  }
  Result<Location> folder(const Environment& /*environment*/) const override { return parse_location("null://"); }
  int execute(const CommandContext& context) const override {
    Cluster cluster;
    if (const auto status = cluster.meet(context.group)) return *status;
    const auto shares = place_ranks(options_, ranks(), context.group.transport().members());
    if (!shares) return report_failures({shares.error()});
    results::RunFolderRequest where;
    where.benchmark = options_.benchmark;
    where.model = "rain";
    const auto folder = begin_run_folder(options_.common, where);
    if (!folder) return report_failures({folder.error()});
    results::RunContext about;
    fill_context(options_, options_.drops, *folder, cluster.members(context.group, *shares), about);
    results::RunFacts facts;
    facts.invocation_start = facts.run_start = facts.run_end = context.invocation_start;
    facts.verdict = run::Verdict::kPassed;
    const results::RunOutcome outcome = outcome_of(std::nullopt, {}, facts_at_end(context.group));
    const Status written = results::write_into(*folder, about, [&](results::FolderWriter& writer) {
      writer.write(results::kRecordFile, options_.arguments.dump());
      results::write_common_files(writer, about, facts, outcome);
    });
    return finish(*folder, written, outcome);
  }

 private:
  ToyOptions options_;
};

inline ParsedCommand parse_toy(CommandLine line) {
  ToyOptions options;
  Reader reader(line.tokens.settings, line.command, line.errors);
  read_benchmark(reader, line, options);
  options.drops = reader.small("drops");
  finish_benchmark(reader, line, options, line);
  return {std::move(line), std::make_unique<ToyTask>(std::move(options))};
}

inline constexpr Benchmark kToy{{.word = "toy", .text = "rain", .subcommands = kToySubcommands, .flags = kToyFlags},
                                parse_toy};

}  // namespace mlps::cli::test
