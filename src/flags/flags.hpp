#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flags/accelerators.hpp"
#include "flags/options.hpp"

/// Rows of the flag tables: the one place where a flag's name, short form, type, range, default, commands, modes and
/// text stand. Tokenizer, layers, per-user file, checks, suggestions and help all read them. Rows that several
/// benchmarks have stand in shared_flags.cpp, a benchmark's own ones with the benchmark.
namespace mlps::cli {

/// Commands as bits, so that a row of a flag table can name several. The low 16 hold traits, which mean the same for
/// all commands; the others the commands of one group (a benchmark, or the program itself), numbered by the group.
using CommandMask = uint64_t;
inline constexpr CommandMask kNoCommand = 0;

enum CommandTrait : CommandMask {
  kOfBenchmark = 1u << 0,        ///< it belongs to a benchmark
  kOnStorage = 1u << 1,          ///< the word file or object follows; results directory and system name are required
  kPlansIo = 1u << 2,            ///< its plan has I/O threads, their depth and their memory
  kRuns = 1u << 3,               ///< it moves bytes, on all hosts, and leaves a result
  kMeasures = 1u << 4,           ///< it is what a submission counts: it verifies, and samples the host's counters
  kParamsInEveryMode = 1u << 5,  ///< its rules judge --params key by key, so that closed has the flag, too
  kUsesHistory = 1u << 6,        ///< it needs an initialised results directory
  kPrintsJson = 1u << 7,         ///< a command of the program itself with --json
  kFileUnlessSaid = 1u << 8,     ///< without the word file or object it is about files
};

/// Returns the bit of the command with this number in its group, 0 to 47.
constexpr CommandMask own_command(unsigned number) {
  return CommandMask{1} << (16 + number);
}

using ModeMask = uint32_t;
constexpr ModeMask mode_bit(Mode mode) {
  return 1u << static_cast<unsigned>(mode);
}
inline constexpr ModeMask kAllModes = 7;
inline constexpr ModeMask kWhatifOnly = mode_bit(Mode::kWhatif);
inline constexpr ModeMask kOpenAndWhatif = mode_bit(Mode::kOpen) | kWhatifOnly;
inline constexpr ModeMask kClosedAndOpen = kAllModes & ~kWhatifOnly;

enum class FlagKind {
  kSwitch,
  kText,
  kLabel,     ///< a text for people: one line of UTF-8
  kName,      ///< may become part of a folder's name
  kPath,      ///< of a local file or folder
  kLocation,  ///< a folder of the storage that is measured
  kInteger,
  kReal,
  kSize,
  kChoice,
  kHosts,     ///< greedy; commas and blanks separate
  kPairs,     ///< greedy; key=value, accumulates
  kRepeated,  ///< one value, accumulates
};

struct Flag {
  std::string_view name = {};        ///< without dashes
  std::string_view short_name = {};  ///< without dash; may be empty
  FlagKind kind = FlagKind::kText;
  std::string_view value_name = {};      ///< see value_word()
  std::string_view choices = {};         ///< '|' between them
  std::string_view whatif_choices = {};  ///< further ones in whatif
  uint64_t minimum = 0;                  ///< kInteger, kSize
  uint64_t maximum = UINT64_MAX;         ///< kInteger, kSize
  double real_maximum = 0;               ///< kReal, which is always above 0; 0: no maximum
  bool or_max = false;                   ///< kInteger, kReal: in whatif also the word "max", which asks for a search
  std::string_view default_text = {};    ///< as it would be typed; empty: no default
  CommandMask commands = kOfBenchmark;   ///< those that have the flag; unless said, all of benchmarks
  ModeMask modes = kAllModes;
  CommandMask any_mode = kNoCommand;  ///< commands to which `modes` doesn't apply
  CommandMask required = kNoCommand;  ///< after all layers
  ModeMask required_modes = kAllModes;
  std::string_view variable = {};   ///< environment variable of the third layer
  std::string_view retired = {};    ///< its old name, for a hint
  bool user_file = false;           ///< may stand in the per-user file
  bool names_file = false;          ///< its file is read where the command is typed, and goes with the job
  std::string_view no_effect = {};  ///< why the flag, which is accepted for old scripts, changes nothing; else empty
  std::string_view text = {};
};

/// Returns the rows that apply to all commands with certain traits.
std::span<const Flag> shared_flags();

inline constexpr uint64_t kMostRanks = 1u << 20;

/// Rows that several benchmarks have, each for commands of its own choice: see row_for().
inline constexpr Flag kClientHostMemoryFlag{
    .name = "client-host-memory-in-gb",
    .short_name = "cm",
    .kind = FlagKind::kReal,
    .value_name = "GIB",
    .real_maximum = 1e9,
    .required_modes = kClosedAndOpen,
    .text =
        "Memory of one client host in GiB. Default where it is optional: this host's, or the limit of its control "
        "group where that is less."};
inline constexpr Flag kAcceleratorTypeFlag{.name = "accelerator-type",
                                           .short_name = "at",
                                           .kind = FlagKind::kChoice,
                                           .choices = kAccelerators,
                                           .whatif_choices = kOlderAccelerators,
                                           .text = "Accelerator that is simulated."};
inline constexpr Flag kProcessesFlag{
    .name = "num-processes", .short_name = "np", .kind = FlagKind::kInteger, .minimum = 1, .maximum = kMostRanks};
inline constexpr Flag kCleanupFlag{.name = "cleanup",
                                   .kind = FlagKind::kSwitch,
                                   .text = "Remove the checkpoints that this run has written when it has ended."};
inline constexpr Flag kSeedFlag{.name = "seed", .kind = FlagKind::kInteger};
inline constexpr Flag kSkipValidationFlag{.name = "skip-validation", .kind = FlagKind::kSwitch};

/// Returns `row` for `commands` of a benchmark; `required` are those that can't do without, and `text`, where given,
/// replaces the row's.
constexpr Flag row_for(Flag row, CommandMask commands, CommandMask required = kNoCommand, std::string_view text = {}) {
  row.commands = commands;
  row.required = required;
  if (!text.empty()) row.text = text;
  return row;
}

/// Returns whether `name`, with dashes or underscores, is the flag's.
bool is_named(const Flag& flag, std::string_view name);

/// Returns the legal words of a kChoice flag in this mode.
std::vector<std::string> choices_of(const Flag& flag, Mode mode);

/// Returns "--results-dir".
std::string typed_name(const Flag& flag);
/// Returns "results_dir", the flag's key in YAML files.
std::string key_name(const Flag& flag);
/// Returns what stands for the value in help: the row's name for it, else one by kind, such as "N".
std::string_view value_word(const Flag& flag);
/// Returns "open and whatif".
std::string mode_names(ModeMask modes);

}  // namespace mlps::cli
