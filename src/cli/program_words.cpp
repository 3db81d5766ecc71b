#include "cli/program_words.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kLocations =
    "  <location>  s3://bucket/key, gs://bucket/key, a path, direct:///path; settings and credentials as for a run\n";

constexpr auto kSubcommands = std::to_array<Subcommand>({
    {.word = "init",
     .text = "claim a results directory for one organisation",
     .command = kInit,
     .arguments = "<orgname> [path]",
     .minimum_arguments = 1,
     .maximum_arguments = 2,
     .details = "  <orgname>  the organisation that the results belong to: letters, digits, '.', '_' and '-'\n"
                "  [path]     the directory: empty, or not there yet. Default: ~/mlpstorage-results\n\n"
                "The directory becomes the default of --results-dir in the per-user file; 'mlpstorage config set\n"
                "results_dir' changes it.\n"},
    {.word = "history", .text = "commands recorded in the results directory"},
    {.word = "config", .text = "the per-user file of defaults"},
    {.word = "object", .text = "look at, copy and remove what a location holds"},
    {.word = "version", .text = "version, build and edition of the rules", .command = kVersion},
    {.word = "help",
     .text = "explain a command: mlpstorage help closed",
     .command = kHelp,
     .arguments = "[word]...",
     .maximum_arguments = 10'000},
    {.word = "reports", .text = "tables over many runs", .built = false},
    {.word = "runs", .text = "run directories", .built = false},
    {.word = "status", .text = "what results lack for a submission", .built = false},
    {.word = "submit", .text = "package results", .built = false},
    {.word = "validate", .text = "check a package against the rules", .built = false},
    {.word = "lockfile", .text = "pin installed packages", .built = false},
    {.word = "rules-coverage", .text = "rules without a check", .built = false},

    {.parent = "history",
     .word = "show",
     .text = "list recorded commands",
     .command = kHistoryShow | kUsesHistory | kPrintsJson},
    {.parent = "history",
     .word = "rerun",
     .text = "run a recorded command again",
     .command = kHistoryRerun | kUsesHistory,
     .arguments = "<id>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},

    {.parent = "object",
     .word = "ls",
     .text = "list what is below a location",
     .command = kObjectLs | kPrintsJson,
     .arguments = "<location>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = kLocations},
    {.parent = "object",
     .word = "stat",
     .text = "look at one object",
     .command = kObjectStat | kPrintsJson,
     .arguments = "<location>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = kLocations},
    {.parent = "object",
     .word = "du",
     .text = "count objects and bytes below a location",
     .command = kObjectDu | kPrintsJson,
     .arguments = "<location>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = kLocations},
    {.parent = "object",
     .word = "cp",
     .text = "copy between any two locations",
     .command = kObjectCp,
     .arguments = "<from> <to>",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .details = kLocations},
    {.parent = "object",
     .word = "rm",
     .text = "remove an object, or all below a location",
     .command = kObjectRm,
     .arguments = "<location>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = kLocations},
    {.parent = "object",
     .word = "uploads",
     .text = "list or abort unfinished uploads",
     .command = kObjectUploads,
     .arguments = "<location>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = kLocations},

    {.parent = "config", .word = "show", .text = "all keys with their values", .command = kConfigShow | kPrintsJson},
    {.parent = "config",
     .word = "set",
     .text = "set one key",
     .command = kConfigSet,
     .arguments = "<key> <value>...",
     .minimum_arguments = 2,
     .maximum_arguments = 10'000},
    {.parent = "config",
     .word = "unset",
     .text = "remove one key",
     .command = kConfigUnset,
     .arguments = "<key>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},
    {.parent = "config", .word = "path", .text = "where the file lies", .command = kConfigPath},
});

constexpr auto kFlags = std::to_array<Flag>({
    {.name = "limit",
     .short_name = "n",
     .kind = FlagKind::kInteger,
     .minimum = 1,
     .commands = kHistoryShow,
     .text = "The last N commands only."},
    {.name = "id",
     .short_name = "i",
     .kind = FlagKind::kInteger,
     .minimum = 1,
     .commands = kHistoryShow,
     .text = "One command only."},
    {.name = "recursive",
     .short_name = "r",
     .kind = FlagKind::kSwitch,
     .commands = kObjectRm | kObjectCp,
     .text = "All that is below the location, as below a folder."},
    {.name = "abort", .kind = FlagKind::kSwitch, .commands = kObjectUploads, .text = "Abort them."},
});

constexpr CommandGroup kProgram{.subcommands = kSubcommands, .flags = kFlags};

}  // namespace

const CommandGroup& program_words() {
  return kProgram;
}

}  // namespace mlps::cli
