#include "flags/flags.hpp"

#include <algorithm>

#include "flags/text.hpp"

namespace mlps::cli {

const Flag* find_flag(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  const auto found =
      std::find_if(all_flags().begin(), all_flags().end(), [&](const Flag& flag) { return flag.name == wanted; });
  return found == all_flags().end() ? nullptr : &*found;
}

const Flag* find_short_flag(std::string_view short_name) {
  if (short_name.empty()) return nullptr;
  const auto found = std::find_if(all_flags().begin(), all_flags().end(),
                                  [&](const Flag& flag) { return flag.short_name == short_name; });
  return found == all_flags().end() ? nullptr : &*found;
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
