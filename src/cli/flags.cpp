#include "cli/flags.hpp"

#include <algorithm>
#include <array>

#include "cli/text.hpp"

namespace mlps::cli {
namespace {

using enum FlagKind;

constexpr uint64_t kMaxRanks = 1u << 20;
constexpr uint64_t kMaxThreads = 4096;

constexpr auto kFlags = std::to_array<Flag>({
    // What is run. Required flags are reported in the order of this table.
    {.name = "model",
     .short_name = "m",
     .kind = kChoice,
     .choices = "llama3-8b|llama3-70b|llama3-405b|llama3-1t",
     .leaves = kCheckpointLeaves,
     .required = kCheckpointLeaves,
     .text = "Model whose checkpoints are written and read."},
    {.name = "num-processes",
     .short_name = "np",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = kMaxRanks,
     .leaves = kCheckpointLeaves | kTrainingDatagen,
     .required = kCheckpointLeaves | kTrainingDatagen,
     .text = "Ranks (simulated accelerators) that take part; datagen: generators that write."},
    {.name = "max-accelerators",
     .short_name = "ma",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = kMaxRanks,
     .leaves = kTrainingDatasize,
     .required = kTrainingDatasize,
     .text = "Most simulated accelerators the data set is to serve."},
    {.name = "num-accelerators",
     .short_name = "na",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = kMaxRanks,
     .leaves = kTrainingMeasured,
     .required = kTrainingMeasured,
     .text = "Simulated accelerators (ranks) that read."},
    {.name = "client-host-memory-in-gb",
     .short_name = "cm",
     .kind = kReal,
     .value_name = "GIB",
     .leaves = kCheckpointLeaves | kTrainingDatasize | kTrainingMeasured,
     .required = kCheckpointRun | kCheckpointConfigview | kTrainingDatasize | kTrainingMeasured,
     .required_modes = kClosedAndOpen,
     .text = "Memory of one client host in GiB. Where it is optional: this host's."},
    {.name = "num-client-hosts",
     .short_name = "nc",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = 1'000'000,
     .leaves = kTrainingDatasize | kTrainingMeasured,
     .text = "Client hosts whose memory the data set must outgrow. Default: the number of --hosts."},
    {.name = "results-dir",
     .short_name = "rd",
     .kind = kPath,
     .value_name = "DIR",
     .leaves = kBenchmarkLeaves | kHistoryLeaves,
     .required = kCheckpointRun | kCheckpointConfigview | kTrainingStorage | kHistoryLeaves,
     .variable = "MLPSTORAGE_RESULTS_DIR",
     .retired = "MLPERF_RESULTS_DIR",
     .user_file = true,
     .text = "Root of everything that is recorded, prepared by 'mlpstorage init'."},
    {.name = "systemname",
     .short_name = "sn",
     .kind = kText,
     .value_name = "NAME",
     .leaves = kBenchmarkLeaves,
     .required = kCheckpointRun | kCheckpointConfigview | kTrainingStorage,
     .variable = "MLPSTORAGE_SYSTEMNAME",
     .retired = "MLPERF_SYSTEMNAME",
     .user_file = true,
     .text = "Name of the system under test; a folder name below results/."},
    {.name = "checkpoint-folder",
     .short_name = "cf",
     .kind = kPath,
     .value_name = "WHERE",
     .leaves = kCheckpointRun | kCheckpointConfigview,
     .required = kCheckpointRun,
     .variable = "MLPSTORAGE_CHECKPOINT_FOLDER",
     .user_file = true,
     .text = "Where checkpoints go: a path, s3://bucket/prefix, direct:///path or null://. The model's name is added."},
    {.name = "data-dir",
     .short_name = "dd",
     .kind = kPath,
     .value_name = "WHERE",
     .leaves = kTrainingLeaves,
     .required = kTrainingDatagen | kTrainingRun,
     .variable = "MLPSTORAGE_DATA_DIR",
     .retired = "MLPERF_DATA_DIR",
     .user_file = true,
     .text = "Where data sets are: a path, s3://bucket/prefix, bucket/prefix, a prefix below BUCKET, or null://. The "
             "model's name is added unless it is there."},

    // The workload.
    {.name = "accelerator-type",
     .short_name = "at",
     .kind = kChoice,
     .choices = "b200|mi355",
     .whatif_choices = "h100|a100",
     .leaves = kCheckpointRun | kCheckpointConfigview | kTrainingDatasize | kTrainingMeasured,
     .required = kTrainingDatasize | kTrainingMeasured,
     .text = "Accelerator that is simulated."},
    {.name = "num-checkpoints-write",
     .short_name = "ncw",
     .kind = kInteger,
     .value_name = "N",
     .maximum = 1'000'000,
     .default_text = "10",
     .leaves = kCheckpointLeaves,
     .text = "Checkpoints to write. closed: 10 or 0."},
    {.name = "num-checkpoints-read",
     .short_name = "ncr",
     .kind = kInteger,
     .value_name = "N",
     .maximum = 1'000'000,
     .default_text = "10",
     .leaves = kCheckpointLeaves,
     .text = "Checkpoints to read. closed: 10 or 0."},
    {.name = "checkpoint-subset",
     .kind = kSwitch,
     .leaves = kCheckpointRun,
     .text = "Declare an 8-process subset run; llama3-8b with 8 processes only."},
    {.name = "o-direct",
     .kind = kSwitch,
     .leaves = kCheckpointRun | kCheckpointConfigview | kTrainingStorage,
     .text = "Write and read past the page cache; needs the word 'file'."},
    {.name = "loops",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = 10'000,
     .default_text = "1",
     .leaves = kBenchmarkLeaves,
     .modes = kOpenAndWhatif,
     .text = "Repeat the benchmark; stops at the first failure."},
    {.name = "params",
     .short_name = "p",
     .kind = kPairs,
     .value_name = "KEY=VALUE",
     .leaves = kBenchmarkLeaves,
     .modes = kOpenAndWhatif,
     .any_mode = kTrainingLeaves,
     .text = "Override values of the workload, by dotted key. May be repeated."},
    {.name = "allow-invalid-params",
     .short_name = "aip",
     .kind = kSwitch,
     .leaves = kBenchmarkLeaves,
     .modes = kOpenAndWhatif,
     .text = "Don't stop when parameters make the run INVALID."},
    {.name = "timeseries-interval",
     .kind = kReal,
     .value_name = "SECONDS",
     .default_text = "10.0",
     .leaves = kCheckpointRun | kTrainingRun,
     .modes = kOpenAndWhatif,
     .text = "Time between two samples of the host's counters, 0.01 or more."},
    {.name = "skip-timeseries",
     .kind = kSwitch,
     .leaves = kCheckpointRun | kTrainingRun,
     .modes = kOpenAndWhatif,
     .text = "Don't sample the host's counters."},
    {.name = "max-timeseries-samples",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 2,
     .maximum = 10'000'000,
     .default_text = "3600",
     .leaves = kCheckpointRun | kTrainingRun,
     .modes = kOpenAndWhatif,
     .text = "Most samples kept per host; a longer run keeps every second one, and so on."},
    {.name = "size-scale",
     .kind = kReal,
     .value_name = "F",
     .default_text = "1.0",
     .leaves = kCheckpointLeaves,
     .modes = kWhatifOnly,
     .text = "Shrink every tensor to this share of its elements, above 0 and up to 1, for small machines."},
    {.name = "verify", .kind = kSwitch, .leaves = kCheckpointRun | kTrainingRun, .text = "Check every byte read."},
    {.name = "payload",
     .kind = kChoice,
     .choices = "unique|none",
     .default_text = "unique",
     .leaves = kCheckpointRun,
     .text = "What is written. none leaves buffers unfilled, for null:// only."},
    {.name = "seed",
     .kind = kInteger,
     .value_name = "N",
     .leaves = kCheckpointRun | kTrainingDatagen | kTrainingRun,
     .text = "Seed of the payload; datagen: of sizes and payload of the data set; training run: of random shuffles."},
    {.name = "workload-file",
     .kind = kPath,
     .value_name = "FILE",
     .leaves = kTrainingLeaves,
     .modes = kOpenAndWhatif,
     .text = "Workload definition in the original's YAML, in place of the built-in one."},

    // How it is done.
    {.name = "io-workers",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = kMaxThreads,
     .leaves = kCheckpointLeaves | kTrainingStorage,
     .text = "I/O threads on this host. Default: by the kind of storage."},
    {.name = "io-depth",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = kMaxThreads,
     .leaves = kCheckpointLeaves | kTrainingStorage,
     .text = "Parts in flight per I/O thread. Default: by the kind of storage."},
    {.name = "io-part-size",
     .kind = kSize,
     .value_name = "SIZE",
     .minimum = 64 * kKiB,
     .maximum = 5 * kGiB,
     .default_text = "16MiB",
     .leaves = kCheckpointLeaves | kTrainingStorage,
     .text = "Size of one part of an object or file; a multiple of 4 KiB."},
    {.name = "io-memory",
     .kind = kSize,
     .value_name = "SIZE",
     .minimum = kMiB,
     .default_text = "384MiB",
     .leaves = kCheckpointLeaves | kTrainingStorage,
     .text = "Memory for I/O buffers on this host."},
    {.name = "read-ahead",
     .kind = kSize,
     .value_name = "SIZE",
     .minimum = kMiB,
     .default_text = "1GiB",
     .leaves = kTrainingMeasured,
     .text = "Most that is read, or being read, ahead of one accelerator."},
    {.name = "drop-caches-timeout-seconds",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .maximum = 86'400,
     .default_text = "30",
     .leaves = kTrainingRun,
     .text = "Most time spent before an epoch on evicting the data set from this host's page cache."},
    {.name = "fadvise",
     .kind = kChoice,
     .choices = "none|sequential|dontneed",
     .default_text = "dontneed",
     .leaves = kCheckpointRun | kCheckpointConfigview | kTrainingStorage,
     .text = "What plain files tell the kernel about its page cache."},
    {.name = "inject-fault",
     .kind = kText,
     .value_name = "SPEC",
     .leaves = kCheckpointRun | kTrainingDatagen | kTrainingRun,
     .modes = kWhatifOnly,
     .text = "Break chosen operations on purpose: kind[=N]:op[:object][@n[+]], comma-separated."},

    // Hosts.
    {.name = "hosts",
     .short_name = "s",
     .kind = kHosts,
     .value_name = "HOST[:SLOTS]",
     .default_text = "127.0.0.1",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Client hosts, separated by commas."},
    {.name = "exec-type",
     .short_name = "et",
     .kind = kChoice,
     .choices = "mpi",
     .default_text = "mpi",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "How processes are started on several hosts."},
    {.name = "mpi-bin",
     .kind = kText,
     .value_name = "PROGRAM",
     .default_text = "mpirun",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Launcher for several hosts, a name or a path."},
    {.name = "oversubscribe",
     .kind = kSwitch,
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Allow more ranks than slots."},
    {.name = "allow-run-as-root",
     .kind = kSwitch,
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Passed to the launcher."},
    {.name = "mpi-btl",
     .kind = kChoice,
     .choices = "auto|vader|tcp",
     .default_text = "auto",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Transport of the launcher."},
    {.name = "mpi-params",
     .kind = kRepeated,
     .value_name = "\"ARGS\"",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Further arguments for the launcher, as --mpi-params=\"...\". May be repeated."},
    {.name = "dlio-bin-path",
     .short_name = "dp",
     .kind = kPath,
     .value_name = "DIR",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Accepted for old scripts; nothing is looked up there."},

    // What is said, and what is checked.
    {.name = "config-file",
     .short_name = "c",
     .kind = kPath,
     .value_name = "FILE",
     .leaves = kBenchmarkLeaves,
     .text = "YAML file with values of flags, by name with underscores. A typed flag wins."},
    {.name = "dry-run", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "Print the plan and do nothing."},
    {.name = "json",
     .kind = kSwitch,
     .leaves = kBenchmarkLeaves | kConfigShow | kHistoryShow,
     .text = "Print JSON, and nothing else, on stdout."},
    {.name = "quiet", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "Leave out the summary of the settings."},
    {.name = "verbose", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "More messages."},
    {.name = "debug", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "All messages."},
    {.name = "stream-log-level",
     .kind = kChoice,
     .choices = "DEBUG|VERBOSE|INFO|STATUS|WARNING|RESULT|ERROR",
     .default_text = "INFO",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Lowest level of messages on stderr."},
    {.name = "color",
     .kind = kChoice,
     .choices = "auto|always|never",
     .default_text = "auto",
     .leaves = kBenchmarkLeaves,
     .user_file = true,
     .text = "Colour of the level in messages."},
    {.name = "verify-lockfile",
     .kind = kPath,
     .value_name = "FILE",
     .leaves = kBenchmarkLeaves,
     .text = "Compare installed packages with a lock file first."},
    {.name = "skip-validation", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "Skip the check of the hosts."},
    {.name = "skip-ssh-check", .kind = kSwitch, .leaves = kBenchmarkLeaves, .text = "Skip the check of SSH only."},
    {.name = "skip-fs-separation-gate",
     .kind = kSwitch,
     .leaves = kBenchmarkLeaves,
     .text = "Results and data or checkpoints on one file system: record it, but run."},

    // history show.
    {.name = "limit",
     .short_name = "n",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .leaves = kHistoryShow,
     .text = "The last N commands only."},
    {.name = "id",
     .short_name = "i",
     .kind = kInteger,
     .value_name = "N",
     .minimum = 1,
     .leaves = kHistoryShow,
     .text = "One command only."},
});

}  // namespace

std::span<const Flag> all_flags() {
  return kFlags;
}

const Flag* find_flag(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  const auto* found = std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& flag) { return flag.name == wanted; });
  return found == kFlags.end() ? nullptr : found;
}

const Flag* find_short_flag(std::string_view short_name) {
  if (short_name.empty()) return nullptr;
  const auto* found =
      std::find_if(kFlags.begin(), kFlags.end(), [&](const Flag& flag) { return flag.short_name == short_name; });
  return found == kFlags.end() ? nullptr : found;
}

ModeMask modes_of(const Flag& flag, Leaf leaf) {
  return (flag.any_mode & leaf) != 0 ? kAllModes : flag.modes;
}

bool is_available(const Flag& flag, Leaf leaf, Mode mode) {
  return (flag.leaves & leaf) != 0 && (modes_of(flag, leaf) & mode_bit(mode)) != 0;
}

bool is_required(const Flag& flag, Leaf leaf, Mode mode) {
  return is_available(flag, leaf, mode) && (flag.required & leaf) != 0 && (flag.required_modes & mode_bit(mode)) != 0;
}

std::vector<std::string> choices_of(const Flag& flag, Mode mode) {
  std::vector<std::string> words = split(flag.choices, "|");
  if (mode == Mode::kWhatif) {
    for (std::string& word : split(flag.whatif_choices, "|")) words.push_back(std::move(word));
  }
  return words;
}

std::string typed_name(const Flag& flag) {
  return "--" + std::string(flag.name);
}

std::string key_name(const Flag& flag) {
  std::string key(flag.name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string mode_names(ModeMask modes) {
  std::string text;
  for (const Mode mode : {Mode::kClosed, Mode::kOpen, Mode::kWhatif}) {
    if ((modes & mode_bit(mode)) == 0) continue;
    if (!text.empty()) text += " and ";
    text += mode_name(mode);
  }
  return text;
}

}  // namespace mlps::cli
