#include "benchmarks/checkpointing/command/benchmark.hpp"

#include "benchmarks/checkpointing/command/options.hpp"
#include "benchmarks/checkpointing/plan.hpp"

namespace mlps::cli {
namespace {

using enum FlagKind;

constexpr CommandMask kDatasize = own_command(0);
constexpr CommandMask kRunCommand = own_command(1);
constexpr CommandMask kConfigview = own_command(2);

constexpr auto kSubcommands = std::to_array<Subcommand>({
    {.word = "datasize",
     .text = "sizes of checkpoints, per rank and in total",
     .command = kDatasize | kOfBenchmark | kPlansIo},
    {.word = "run",
     .text = "the measured benchmark",
     .command = kRunCommand | kOfBenchmark | kOnStorage | kPlansIo | kRuns | kMeasures},
    {.word = "configview",
     .text = "the merged configuration, each value with its source; runs nothing",
     .command = kConfigview | kOfBenchmark | kOnStorage | kPlansIo},
});

constexpr auto kFlags = std::to_array<Flag>({
    {.name = "model",
     .short_name = "m",
     .kind = kChoice,
     .choices = "llama3-8b|llama3-70b|llama3-405b|llama3-1t",
     .required = kOfBenchmark,
     .text = "Model whose checkpoints are written and read."},
    row_for(kProcessesFlag, kOfBenchmark, kOfBenchmark, "Ranks (simulated accelerators) that take part."),
    row_for(kClientHostMemoryFlag, kOfBenchmark, kRunCommand | kConfigview),
    {.name = "checkpoint-folder",
     .short_name = "cf",
     .kind = kLocation,
     .value_name = "WHERE",
     .commands = kRunCommand | kConfigview,
     .required = kRunCommand,
     .variable = "MLPSTORAGE_CHECKPOINT_FOLDER",
     .user_file = true,
     .text =
         "Where checkpoints go: a path, s3://bucket/prefix (gs://, az://account/container/prefix), direct:///path or "
         "null://. The model's name is added."},
    row_for(kAcceleratorTypeFlag, kRunCommand | kConfigview),
    {.name = "num-checkpoints-write",
     .short_name = "ncw",
     .kind = kInteger,
     .maximum = 1'000'000,
     .default_text = "10",
     .text = "Checkpoints to write. closed: 10 or 0."},
    {.name = "num-checkpoints-read",
     .short_name = "ncr",
     .kind = kInteger,
     .maximum = 1'000'000,
     .default_text = "10",
     .text = "Checkpoints to read. closed: 10 or 0."},
    {.name = "checkpoint-subset",
     .kind = kSwitch,
     .commands = kRunCommand,
     .text = "Declare an 8-process subset run; llama3-8b with 8 processes only."},
    row_for(kCleanupFlag, kRunCommand),
    {.name = "size-scale",
     .kind = kReal,
     .value_name = "F",
     .real_maximum = checkpointing::kMostSizeScale,
     .default_text = "1.0",
     .modes = kWhatifOnly,
     .text = "Shrink every tensor to this share of its elements, above 0 and up to 1, for small machines."},
    {.name = "time",
     .kind = kReal,
     .value_name = "SECONDS",
     .real_maximum = 31'536'000,
     .commands = kRunCommand,
     .modes = kWhatifOnly,
     .text = "Begin no further checkpoint when the run has taken so long; writes that are to be read have half of it. "
             "What was measured is judged as it is."},
    {.name = "until-stable",
     .kind = kSwitch,
     .commands = kRunCommand,
     .modes = kWhatifOnly,
     .text = "Begin no further write, or read, when the rates of the last five are steady: within 20 % of their mean, "
             "and a slope of at most 10 %."},
    {.name = "payload",
     .kind = kChoice,
     .choices = "unique|none",
     .default_text = "unique",
     .commands = kRunCommand,
     .modes = kWhatifOnly,
     .text = "Content of the objects; none leaves buffers unfilled, for null:// only."},
    row_for(kSeedFlag, kRunCommand, kNoCommand, "Seed of the payload."),
    {.name = "skip-validation",
     .kind = kSwitch,
     .no_effect = "checkpoints have no manifest that could be checked",
     .text = "Accepted for old scripts; checkpoints have no manifest to check."},
});

}  // namespace

constexpr Benchmark kCheckpointing{{.word = "checkpointing",
                                    .text = "write and read checkpoints of large language models",
                                    .subcommands = kSubcommands,
                                    .flags = kFlags},
                                   [](CommandLine line) { return command_of(parse_checkpointing(std::move(line))); }};

}  // namespace mlps::cli
