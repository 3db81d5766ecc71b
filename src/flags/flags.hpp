#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flags/commands.hpp"

/// The flag table: the one place where a flag's name, short form, type, range, default, commands, modes and text
/// stand. Parser, layers, per-user file, checks, suggestions and help all read it.
namespace mlps::cli {

/// The commands that take flags, as bits so that a table row can name several.
enum Leaf : uint32_t {
  kNoLeaf = 0,
  kCheckpointDatasize = 1u << 0,
  kCheckpointRun = 1u << 1,
  kCheckpointConfigview = 1u << 2,
  kInit = 1u << 3,
  kVersion = 1u << 4,
  kConfigShow = 1u << 5,
  kConfigSet = 1u << 6,
  kConfigUnset = 1u << 7,
  kConfigPath = 1u << 8,
  kHistoryShow = 1u << 9,
  kHistoryRerun = 1u << 10,
  kTrainingDatasize = 1u << 11,
  kTrainingDatagen = 1u << 12,
  kTrainingRun = 1u << 13,
  kTrainingConfigview = 1u << 14,
};
using LeafMask = uint32_t;
inline constexpr LeafMask kCheckpointLeaves = kCheckpointDatasize | kCheckpointRun | kCheckpointConfigview;
inline constexpr LeafMask kTrainingMeasured = kTrainingRun | kTrainingConfigview;  ///< configview: what run would do
inline constexpr LeafMask kTrainingStorage = kTrainingDatagen | kTrainingMeasured;
inline constexpr LeafMask kTrainingLeaves = kTrainingDatasize | kTrainingStorage;
inline constexpr LeafMask kBenchmarkLeaves = kCheckpointLeaves | kTrainingLeaves;
inline constexpr LeafMask kHistoryLeaves = kHistoryShow | kHistoryRerun;

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
  kPath,
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
  std::string_view value_name = {};      ///< in help, for example "N"
  std::string_view choices = {};         ///< '|' between them
  std::string_view whatif_choices = {};  ///< further ones in whatif
  uint64_t minimum = 0;                  ///< kInteger, kSize
  uint64_t maximum = UINT64_MAX;
  std::string_view default_text = {};  ///< as it would be typed; empty: no default
  LeafMask leaves = kNoLeaf;
  ModeMask modes = kAllModes;
  LeafMask any_mode = kNoLeaf;  ///< commands to which `modes` doesn't apply
  LeafMask required = kNoLeaf;  ///< after all layers
  ModeMask required_modes = kAllModes;
  std::string_view variable = {};  ///< environment variable of the third layer
  std::string_view retired = {};   ///< its old name, for a hint
  bool user_file = false;          ///< may stand in the per-user file
  bool names_file = false;         ///< its file is read where the command is typed, and goes with the job
  std::string_view text = {};
};

std::span<const Flag> all_flags();

/// The row of `name` (dashes or underscores), or nullptr.
const Flag* find_flag(std::string_view name);
/// The row of a short form, or nullptr.
const Flag* find_short_flag(std::string_view short_name);

/// Whether `flag` exists for this command in this mode.
bool is_available(const Flag& flag, Leaf leaf, Mode mode);
bool is_required(const Flag& flag, Leaf leaf, Mode mode);

/// Legal words of a kChoice flag in this mode.
std::vector<std::string> choices_of(const Flag& flag, Mode mode);

/// "--results-dir".
std::string typed_name(const Flag& flag);
/// "results_dir": its key in YAML files.
std::string key_name(const Flag& flag);
/// "open and whatif".
std::string mode_names(ModeMask modes);
/// Modes in which `leaf` has the flag.
ModeMask modes_of(const Flag& flag, Leaf leaf);

}  // namespace mlps::cli
