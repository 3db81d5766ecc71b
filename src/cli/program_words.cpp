#include "cli/program_words.hpp"

#include "cli/program_flags.hpp"

namespace mlps::cli {
namespace {

constexpr std::string_view kLocations =
    "  <location>  s3://bucket/key, gs://bucket/key, az://account/container/key, a path, direct:///path;\n"
    "              settings and credentials as for a run\n";

constexpr auto kSubcommands = std::to_array<Subcommand>({
    {.word = "try",
     .text = "is this place fast enough? a minute, nothing to prepare",
     .command = kTry | kPrintsJson,
     .arguments = "<place>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details =
         "  <place>  a folder that is there, direct:///folder, s3://bucket/prefix, gs://bucket/prefix,\n"
         "           az://account/container/prefix; settings and credentials as for a run\n\n"
         "Trains U-Net3D or RetinaNet on simulated accelerators, saves and loads checkpoints of Llama 3 8B, offloads a "
         "KV cache "
         "and\n"
         "searches vectors, all sized by what the place can do, and says how much it feeds, what limits it, and how\n"
         "sure that is. Files are read past the page cache. What is stored is removed, also after Ctrl-C.\n"},
    {.word = "init",
     .text = "create a results directory for one organisation",
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
    {.word = "report",
     .text = "one HTML file about one run or several: drawings, figures, settings",
     .command = kReport,
     .arguments = "<run>...",
     .minimum_arguments = 1,
     .maximum_arguments = 100,
     .details =
         "  mlpstorage report results/closed/acme/results/sys/training/unet3d/run/20260704_120000\n"
         "  mlpstorage report before/ after/ --output both.html\n\n"
         "  <run>  the folder of a run of training, checkpointing, kvcache or vectordb, or its "
         "mlpstorage_record.json\n\n"
         "The file needs no other, no network and no script; it is smaller than 200 kB, and prints on two sides.\n"
         "Several runs begin with what differs between them. Every run leaves a report.html in its own folder.\n"},
    {.word = "replay",
     .text = "play an operation log against another location",
     .command = kReplay | kPrintsJson,
     .arguments = "<log>...",
     .minimum_arguments = 1,
     .maximum_arguments = 10'000,
     .details =
         "  <log>  a file that --op-log, warp or s3dlio wrote; several are played together\n\n"
         "Reads, writes and removals that worked are played, at the times at which they were recorded or as fast\n"
         "as it goes. What is written and removed has the recorded names, below the location: objects of these\n"
         "names that are there are replaced, and removed where the log removes them.\n"},
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
    {.word = "examples", .text = "command lines to copy", .command = kExamples},
    {.word = "help",
     .text = "explain a command, a word or a flag: mlpstorage help o-direct",
     .command = kHelp,
     .arguments = "[word]...",
     .maximum_arguments = 10'000},
    {.word = "runs", .text = "the run folders of the results directory"},
    {.word = "status",
     .text = "what stands between the results and a submission",
     .command = kStatus | kUsesHistory | kPrintsJson,
     .details =
         "Each result is short (runs are missing), invalid (a run has to go, or a rule about results is broken),\n"
         "paperwork (papers are missing or wrong) or ready. Nothing is written.\n"},
    {.word = "submit",
     .text = "make tables and manifest, check all, and pack what is submitted",
     .command = kSubmit | kUsesHistory,
     .details =
         "Packs closed/, open/ and the code images that their runs point to, if no rule has an error; writes a\n"
         "checksum and a list of contents beside the archive. Code images hold the description of this build:\n"
         "there is no Python source of it. A system without a page (.pdf) gets one of its description's text.\n"},
    {.word = "compare",
     .text = "two runs, or two sets of runs, side by side",
     .command = kCompare | kPrintsJson,
     .arguments = "<a> <b>",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .details =
         "  <a> <b>  folders: each a run folder, or one that holds run folders of one benchmark\n\n"
         "Says of each figure whether b is better or worse than a, or that it can't be told, and then with how\n"
         "many more values it could (Mann-Whitney U, p below 0.05); compares latencies, and lists settings, hosts\n"
         "and builds that differ. --output draws all that: changes with their intervals, every value of both\n"
         "sides, latencies against one another.\n"},
    {.word = "lockfile", .text = "program, libraries and kernel that ran"},
    {.word = "rules-coverage", .text = "rules without a check, and why", .command = kCoverage | kPrintsJson},
    {.word = "completion",
     .text = "the script by which a shell completes the command line",
     .command = kCompletion,
     .arguments = "<bash|zsh|fish>",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .details = "For this shell only:  source <(mlpstorage completion bash)\n"
                "For every new one, that line in ~/.bashrc; 'make install' and the package bring it for all users.\n"},
    {.word = "man", .text = "the manual page: mlpstorage man | man -l -", .command = kMan},

    {.parent = "runs",
     .word = "list",
     .text = "all runs with state, verdict and size; those that need a look first",
     .command = kRunsList | kUsesHistory | kPrintsJson},
    {.parent = "runs",
     .word = "show",
     .text = "one run",
     .command = kRunsShow | kUsesHistory | kPrintsJson,
     .arguments = "<id>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},
    {.parent = "runs",
     .word = "rm",
     .text = "move runs into the trash",
     .command = kRunsRm | kUsesHistory,
     .arguments = "[id]...",
     .maximum_arguments = 10'000,
     .details =
         "The trash is .mlps/trash/ of the results directory; a run that is moved back from there gets a new id.\n"},
    {.parent = "runs",
     .word = "purge",
     .text = "remove what is in the trash for ever",
     .command = kRunsPurge | kUsesHistory},
    {.parent = "runs",
     .word = "gc",
     .text = "move code images that no run points to into the trash",
     .command = kRunsGc | kUsesHistory},
    {.parent = "lockfile",
     .word = "generate",
     .text = "write a lock of this program, its libraries and the kernel",
     .command = kLockGenerate},
    {.parent = "lockfile",
     .word = "verify",
     .text = "hold program, libraries and kernel against a lock; exit 1 if it doesn't hold",
     .command = kLockVerify},

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

constexpr CommandGroup kProgram{.subcommands = kSubcommands, .flags = kProgramFlags};

}  // namespace

const CommandGroup& program_words() {
  return kProgram;
}

}  // namespace mlps::cli
