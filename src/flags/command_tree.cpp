#include "flags/command_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "flags/text.hpp"

namespace mlps::cli {
namespace {

constexpr auto kWords = std::to_array<CommandWord>({
    {.word = "closed", .text = "benchmarks under the fixed rules of a submission"},
    {.word = "open", .text = "benchmarks with freer tuning"},
    {.word = "whatif", .text = "benchmarks without rules; they really run, but can't be submitted"},
    {.word = "init",
     .text = "claim a results directory for one organisation",
     .leaf = kInit,
     .arguments = "<orgname> [path]",
     .minimum_arguments = 1,
     .maximum_arguments = 2},
    {.word = "history", .text = "commands recorded in the results directory"},
    {.word = "config", .text = "the per-user file of defaults"},
    {.word = "version", .text = "version, build and edition of the rules", .leaf = kVersion},
    {.word = "reports", .text = "tables over many runs", .built = false},
    {.word = "runs", .text = "run directories", .built = false},
    {.word = "status", .text = "what stands between results and a submission", .built = false},
    {.word = "submit", .text = "package results", .built = false},
    {.word = "validate", .text = "check a package against the rules", .built = false},
    {.word = "lockfile", .text = "pin installed packages", .built = false},
    {.word = "rules-coverage", .text = "rules without a check", .built = false},

    {.parent = "MODE", .word = "checkpointing", .text = "write and read checkpoints of large language models"},
    {.parent = "MODE", .word = "training", .text = "make data sets, and read them as a training job would"},
    {.parent = "MODE", .word = "kvcache", .text = "offload KV caches of inference", .built = false},
    {.parent = "MODE", .word = "vectordb", .text = "load and search vectors", .built = false},

    {.parent = "MODE/checkpointing",
     .word = "datasize",
     .text = "sizes of checkpoints, per rank and in total",
     .leaf = kCheckpointDatasize},
    {.parent = "MODE/checkpointing",
     .word = "run",
     .text = "the measured benchmark",
     .leaf = kCheckpointRun,
     .storage_word = true},
    {.parent = "MODE/checkpointing",
     .word = "configview",
     .text = "the merged configuration, each value with its source; runs nothing",
     .leaf = kCheckpointConfigview,
     .storage_word = true},

    {.parent = "MODE/training", .word = "unet3d", .text = "3D segmentation: large files, read whole"},
    {.parent = "MODE/training", .word = "retinanet", .text = "object detection: many small files"},
    {.parent = "MODE/training", .word = "cosmoflow", .text = "cosmology: a file per sample", .modes = kWhatifOnly},
    {.parent = "MODE/training",
     .word = "resnet50",
     .text = "image classification: many records a file",
     .modes = kWhatifOnly},
    {.parent = "MODE/training",
     .word = "dlrm",
     .text = "recommendation: row groups of parquet files",
     .modes = kWhatifOnly},
    {.parent = "MODE/training",
     .word = "dlrm_parquet",
     .text = "recommendation, the h100's parquet variant",
     .modes = kWhatifOnly},
    {.parent = "MODE/training", .word = "flux", .text = "image generation: parquet files", .modes = kWhatifOnly},
    {.parent = "MODE/training/MODEL",
     .word = "datasize",
     .text = "how many files and bytes the rules ask for",
     .leaf = kTrainingDatasize},
    {.parent = "MODE/training/MODEL",
     .word = "datagen",
     .text = "write the data set",
     .leaf = kTrainingDatagen,
     .storage_word = true},
    {.parent = "MODE/training/MODEL",
     .word = "run",
     .text = "the measured benchmark",
     .leaf = kTrainingRun,
     .storage_word = true},
    {.parent = "MODE/training/MODEL",
     .word = "configview",
     .text = "the merged configuration, each value with its source, and the plan; runs nothing",
     .leaf = kTrainingConfigview,
     .storage_word = true},

    {.parent = "history", .word = "show", .text = "list recorded commands", .leaf = kHistoryShow},
    {.parent = "history",
     .word = "rerun",
     .text = "run a recorded command again",
     .leaf = kHistoryRerun,
     .arguments = "<id>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},

    {.parent = "config", .word = "show", .text = "all keys with their values", .leaf = kConfigShow},
    {.parent = "config",
     .word = "set",
     .text = "set one key",
     .leaf = kConfigSet,
     .arguments = "<key> <value>...",
     .minimum_arguments = 2,
     .maximum_arguments = 10'000},
    {.parent = "config",
     .word = "unset",
     .text = "remove one key",
     .leaf = kConfigUnset,
     .arguments = "<key>",
     .minimum_arguments = 1,
     .maximum_arguments = 1},
    {.parent = "config", .word = "path", .text = "where the file lies", .leaf = kConfigPath},
});

std::optional<Mode> mode_of(std::string_view word) {
  for (const Mode mode : {Mode::kClosed, Mode::kOpen, Mode::kWhatif}) {
    if (mode_name(mode) == word) return mode;
  }
  return std::nullopt;
}

const CommandWord* find_word(std::string_view parent, std::string_view word, std::optional<Mode> mode) {
  for (const CommandWord* row : words_below(parent, mode)) {
    if (row->word == word) return row;
  }
  return nullptr;
}

// The mode the words so far name, if they do.
std::optional<Mode> mode_so_far(const Resolution& resolution) {
  return resolution.parent.starts_with("MODE") ? std::optional(resolution.mode) : std::nullopt;
}

std::string next_words_text(const Resolution& resolution) {
  std::vector<std::string_view> names;
  for (const CommandWord* word : words_below(resolution.parent, mode_so_far(resolution))) {
    if (word->built) names.push_back(word->word);
  }
  return join(names, ", ");
}

std::string after(const Resolution& resolution) {
  return resolution.words.empty() ? "'mlpstorage'" : fmt::format("'{}'", join(resolution.words, " "));
}

// Forms that older versions or the original's manual page have.
std::string present_form(const Resolution& resolution) {
  const std::string& offending = resolution.offending;
  if (resolution.parent.empty() && find_word("MODE", offending, std::nullopt) != nullptr) {
    return fmt::format("the mode goes first: mlpstorage closed {} ... (or open, or whatif)", offending);
  }
  if (resolution.parent == "MODE/checkpointing" && offending.substr(0, 6) == "llama3") {
    return fmt::format("the model is a flag here: {} run file --model {} ...", join(resolution.words, " "), offending);
  }
  if (resolution.parent == "MODE/training") {
    if (find_word(resolution.parent, offending, Mode::kWhatif) != nullptr) {
      return fmt::format("'{}' is available in whatif mode only", offending);
    }
    if (find_word("MODE/training/MODEL", offending, std::nullopt) != nullptr) {
      return fmt::format("the model goes before the command: {} unet3d {} ...", join(resolution.words, " "), offending);
    }
  }
  return retired_flag_hint(offending);
}

// What a parent calls a word below which others are the same for all of its kind.
std::string_view kind_of(std::string_view parent, std::string_view word) {
  if (parent.empty() && mode_of(word)) return "MODE";
  return parent == "MODE/training" ? "MODEL" : word;
}

// The commands there are, for someone who asked for another.
std::string built_words() {
  std::vector<std::string> words;
  for (const CommandWord* word : words_below("MODE")) {
    if (word->built) words.push_back(fmt::format("<mode> {}", word->word));
  }
  for (const CommandWord* word : words_below("")) {
    if (word->built && !mode_of(word->word)) words.emplace_back(word->word);
  }
  return join(words, ", ");
}

}  // namespace

std::vector<const CommandWord*> words_below(std::string_view parent, std::optional<Mode> mode) {
  std::vector<const CommandWord*> words;
  for (const CommandWord& row : kWords) {
    const bool exists = !mode || (row.modes & mode_bit(*mode)) != 0;
    if (row.parent == parent && exists) words.push_back(&row);
  }
  return words;
}

std::vector<const CommandWord*> all_leaves() {
  std::vector<const CommandWord*> words;
  for (const CommandWord& row : kWords) {
    if (row.leaf != kNoLeaf) words.push_back(&row);
  }
  return words;
}

Resolution resolve(std::span<const std::string> arguments) {
  Resolution result;
  result.wants_help = std::any_of(arguments.begin(), arguments.end(),
                                  [](const std::string& word) { return word == "-h" || word == "--help"; });
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "-h" || argument == "--help") continue;
    const CommandWord* word = find_word(result.parent, argument, mode_so_far(result));
    if (word == nullptr) {
      const bool flag = argument.substr(0, 1) == "-";
      result.kind = flag ? Resolution::Kind::kFlagTooEarly : Resolution::Kind::kUnknown;
      result.offending = argument;
      return result;
    }
    result.word = word;
    result.words.push_back(argument);
    result.rest = i + 1;
    if (!word->built || word->leaf != kNoLeaf) {
      result.kind = word->built ? Resolution::Kind::kCommand : Resolution::Kind::kNotBuilt;
      return result;
    }
    const std::string_view kind = kind_of(result.parent, argument);
    if (kind == "MODE") result.mode = *mode_of(argument);
    if (kind == "MODEL") result.model = argument;
    if (!result.parent.empty()) result.parent += '/';
    result.parent += kind;
  }
  return result;
}

Error resolution_error(const Resolution& resolution, std::span<const std::string> arguments) {
  const std::string next = next_words_text(resolution);
  const std::string pointer = "-h after any word explains it, --help_all prints everything";
  switch (resolution.kind) {
    case Resolution::Kind::kIncomplete:
      return {ErrorCode::kConfigMissing,
              fmt::format("incomplete command: after {} comes one of: {}", after(resolution), next),
              {},
              pointer};
    case Resolution::Kind::kUnknown: {
      std::vector<std::string_view> names;
      for (const CommandWord* word : words_below(resolution.parent, mode_so_far(resolution))) {
        names.push_back(word->word);
      }
      std::string suggestion = present_form(resolution);
      const std::string near = nearest(resolution.offending, names);
      if (suggestion.empty() && !near.empty()) suggestion = fmt::format("did you mean '{}'?", near);
      return {
          ErrorCode::kConfigInvalid,
          fmt::format("unknown word '{}': after {} comes one of: {}", resolution.offending, after(resolution), next),
          {},
          suggestion.empty() ? pointer : suggestion};
    }
    case Resolution::Kind::kFlagTooEarly: {
      const std::string hint = present_form(resolution);
      return {ErrorCode::kConfigInvalid,
              fmt::format("{} stands before the command: after {} comes one of: {}", resolution.offending,
                          after(resolution), next),
              {},
              hint.empty() ? "flags go after the command word" : hint};
    }
    case Resolution::Kind::kNotBuilt:
    case Resolution::Kind::kCommand:
      break;
  }
  return {ErrorCode::kNotImplemented, fmt::format("'{}' is not in this build yet", join(resolution.words, " ")),
          fmt::format("asked for: mlpstorage {}", join(arguments.first(resolution.rest), " ")),
          "this build has: " + built_words()};
}

std::string retired_flag_hint(std::string_view flag) {
  if (flag == "--what-if") {
    return "the old flag --what-if is now --dry-run; the mode 'whatif' is something else: it really runs";
  }
  if (flag == "--closed" || flag == "--open") {
    return fmt::format("the mode is the first word now: mlpstorage {} ...", flag.substr(2));
  }
  return {};
}

std::string words_of(const CommandWord& word, std::string_view mode) {
  std::string text = "mlpstorage";
  for (const std::string& part : split(word.parent, "/")) {
    text += ' ';
    text += part == "MODE" ? std::string(mode) : part == "MODEL" ? "<model>" : part;
  }
  return fmt::format("{} {}", text, word.word);
}

std::string usage_of(const CommandWord& word, std::string_view mode) {
  std::string text = words_of(word, mode);
  if (word.storage_word) text += " <file|object>";
  if (!word.arguments.empty()) text += fmt::format(" {}", word.arguments);
  const std::span<const Flag> flags = all_flags();
  const bool has_flags =
      std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) { return (flag.leaves & word.leaf) != 0; });
  return has_flags ? text + " [flags]" : text;
}

}  // namespace mlps::cli
