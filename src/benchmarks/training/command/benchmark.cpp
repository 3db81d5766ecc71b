#include "benchmarks/training/command/benchmark.hpp"

#include "benchmarks/training/command/options.hpp"

namespace mlps::cli {
namespace {

using enum FlagKind;

constexpr CommandMask kDatasize = own_command(0);
constexpr CommandMask kDatagen = own_command(1);
constexpr CommandMask kRunCommand = own_command(2);
constexpr CommandMask kConfigview = own_command(3);
constexpr CommandMask kReadingCommands = kRunCommand | kConfigview;  // configview: what run would do
constexpr CommandMask kTraits = kOfBenchmark | kParamsInEveryMode;

constexpr auto kSubcommands = std::to_array<Subcommand>({
    {.word = "unet3d", .text = "3D segmentation: large files, read whole"},
    {.word = "retinanet", .text = "object detection: many small files"},
    {.word = "cosmoflow", .text = "cosmology: a file per sample", .modes = kWhatifOnly},
    {.word = "resnet50", .text = "image classification: many records a file", .modes = kWhatifOnly},
    {.word = "dlrm", .text = "recommendation: row groups of parquet files", .modes = kWhatifOnly},
    {.word = "dlrm_parquet", .text = "recommendation, the h100's parquet variant", .modes = kWhatifOnly},
    {.word = "flux", .text = "image generation: parquet files", .modes = kWhatifOnly},
    {.parent = "MODEL",
     .word = "datasize",
     .text = "how many files and bytes the rules ask for",
     .command = kDatasize | kTraits},
    {.parent = "MODEL",
     .word = "datagen",
     .text = "write the data set",
     .command = kDatagen | kTraits | kOnStorage | kPlansIo | kRuns},
    {.parent = "MODEL",
     .word = "run",
     .text = "the measured benchmark",
     .command = kRunCommand | kTraits | kOnStorage | kPlansIo | kRuns | kMeasures},
    {.parent = "MODEL",
     .word = "configview",
     .text = "the merged configuration, each value with its source, and the plan; runs nothing",
     .command = kConfigview | kTraits | kOnStorage | kPlansIo},
});

constexpr auto kFlags = std::to_array<Flag>({
    row_for(kProcessesFlag, kDatagen, kDatagen, "Generators that write."),
    {.name = "max-accelerators",
     .short_name = "ma",
     .kind = kInteger,
     .minimum = 1,
     .maximum = kMostRanks,
     .commands = kDatasize,
     .required = kDatasize,
     .text = "Most simulated accelerators the data set is to serve."},
    {.name = "num-accelerators",
     .short_name = "na",
     .kind = kInteger,
     .minimum = 1,
     .maximum = kMostRanks,
     .or_max = true,
     .commands = kReadingCommands,
     .required = kReadingCommands,
     .text = "Simulated accelerators (ranks) that read; max searches for the most that the storage feeds."},
    row_for(kClientHostMemoryFlag, kDatasize | kReadingCommands, kDatasize | kReadingCommands),
    {.name = "num-client-hosts",
     .short_name = "nc",
     .kind = kInteger,
     .minimum = 1,
     .maximum = 1'000'000,
     .commands = kDatasize | kReadingCommands,
     .text = "Client hosts whose memory the data set must outgrow. Default: the number of --hosts."},
    {.name = "data-dir",
     .short_name = "dd",
     .kind = kLocation,
     .value_name = "WHERE",
     .required = kDatagen | kRunCommand,
     .variable = "MLPSTORAGE_DATA_DIR",
     .retired = "MLPERF_DATA_DIR",
     .user_file = true,
     .text = "Where data sets are: a path, s3://bucket/prefix (gs://, az://account/container/prefix), bucket/prefix, a "
             "prefix "
             "below BUCKET, or null://. The model's name is added unless it is there."},
    row_for(kAcceleratorTypeFlag, kDatasize | kReadingCommands, kDatasize | kReadingCommands),
    row_for(kSeedFlag, kDatagen, kNoCommand, "Seed of sizes and payload of the data set."),
    row_for(kSeedFlag, kRunCommand, kNoCommand, "Seed of random shuffles."),
    {.name = "verify",
     .kind = kSwitch,
     .commands = kDatagen,
     .text = "Read what is there, compare every byte, and write again what differs."},
    {.name = "workload-file",
     .kind = kPath,
     .modes = kOpenAndWhatif,
     .names_file = true,
     .text = "Workload definition in the YAML of DLIO, in place of the built-in one."},
    {.name = "read-ahead",
     .kind = kSize,
     .minimum = kMiB,
     .commands = kReadingCommands,
     .text = "Most that is read, or being read, ahead of one accelerator. Default: as the workload says."},
    {.name = "time",
     .kind = kReal,
     .value_name = "SECONDS",
     .real_maximum = 31'536'000,
     .commands = kRunCommand,
     .modes = kWhatifOnly,
     .text = "Begin no further epoch when the run has taken so long. What was measured is judged as it is."},
    {.name = "until-stable",
     .kind = kSwitch,
     .commands = kRunCommand,
     .modes = kWhatifOnly,
     .text =
         "Begin no further epoch when the rates of the last five are steady: within 20 % of their mean, and a slope "
         "of at most 10 %."},
    {.name = "drop-caches-timeout-seconds",
     .kind = kInteger,
     .minimum = 1,
     .maximum = 86'400,
     .default_text = "30",
     .commands = kRunCommand,
     .text = "Most time spent before an epoch on evicting the data set from this host's page cache."},
    row_for(kCleanupFlag, kRunCommand),
    row_for(kSkipValidationFlag, kOfBenchmark, kNoCommand,
            "Treat contradictions of the data set's manifest as warnings."),
});

}  // namespace

constexpr Benchmark kTraining{{.word = "training",
                               .text = "make data sets, and read them as a training job would",
                               .subcommands = kSubcommands,
                               .flags = kFlags},
                              [](CommandLine line) { return command_of(parse_training(std::move(line))); }};

}  // namespace mlps::cli
