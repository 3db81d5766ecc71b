#include "cli/program_words.hpp"

namespace mlps::cli {
namespace {

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
    {.word = "reports", .text = "tables over many runs"},
    {.word = "validate",
     .text = "judge a tree of results by the rules",
     .command = kValidate | kPrintsJson,
     .arguments = "<folder>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = "  <folder>  the root of a tree of results, with closed/ or open/ in it\n\n"
                "Every finding is a line '[LEVEL] [rule name] path: key message'. Exit 1 if there is an error, 0 with\n"
                "warnings or nothing. Nothing is changed. 'mlpstorage rules explain <id>' tells what a rule wants.\n"},
    {.word = "rules", .text = "the rules that results are judged by"},
    {.word = "version", .text = "version, build and edition of the rules", .command = kVersion},
    {.word = "help",
     .text = "explain a command: mlpstorage help closed",
     .command = kHelp,
     .arguments = "[word]...",
     .maximum_arguments = 10'000},
    {.word = "runs", .text = "run directories", .built = false},
    {.word = "status", .text = "what results lack for a submission", .built = false},
    {.word = "submit", .text = "package results", .built = false},
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

    {.parent = "reports",
     .word = "reportgen",
     .text = "judge and aggregate all runs, and write the tables",
     .command = kReportgen | kUsesHistory | kPrintsJson,
     .details =
         "Writes results.json and results.csv beside the runs of each model and, without --systemname, of each\n"
         "organisation, and of the whole tree if there are several. Prints the verdict of each row, why the cells\n"
         "that are blank are, and what is in no table. The directory may also be an assembled submission.\n"},

    {.parent = "rules",
     .word = "list",
     .text = "all rules with their severity in each edition",
     .command = kRulesList | kPrintsJson},
    {.parent = "rules",
     .word = "explain",
     .text = "what a rule wants, with an example",
     .command = kRulesExplain,
     .arguments = "<id>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},

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
    // No layer fills it: a default for runs must not keep reports from having all systems.
    {.name = "systemname",
     .short_name = "sn",
     .kind = FlagKind::kName,
     .commands = kReportgen,
     .text = "Report this system only; tables that hold others, too, stay as they are."},
    {.name = "strict",
     .kind = FlagKind::kSwitch,
     .commands = kReportgen,
     .text = "Exit 1 if a result is INVALID or in no table, or a run folder was skipped."},
    {.name = "submitters",
     .value_name = "NAMES",
     .commands = kValidate,
     .text = "Organisations to judge, with commas between them. Default: all."},
    {.name = "edition",
     .value_name = "NAME",
     .commands = kValidate,
     .text = "Edition of the rules: 3.0-early (until July 2026), 3.0 (as the round was judged), 3.0-after. Default: "
             "what the tree is."},
    {.name = "mlperf-version",
     .value_name = "NAME",
     .commands = kValidate,
     .text = "The same as --edition, for old scripts."},
    {.name = "compat",
     .kind = FlagKind::kSwitch,
     .commands = kValidate,
     .text = "Judge as mlpstorage 3.0.46 did, also where that differs from the rules; both ways, the differences are "
             "listed."},
    {.name = "csv", .kind = FlagKind::kPath, .commands = kValidate, .text = "Write the findings to this file, too."},
    {.name = "skip-output-file",
     .kind = FlagKind::kSwitch,
     .commands = kValidate,
     .text = "Don't ask for the *output.json of the ranks."},
    {.name = "reference-checksum",
     .value_name = "MD5",
     .commands = kValidate,
     .text = "Hash that every code image must have."},
});

constexpr CommandGroup kProgram{.subcommands = kSubcommands, .flags = kFlags};

}  // namespace

const CommandGroup& program_words() {
  return kProgram;
}

}  // namespace mlps::cli
