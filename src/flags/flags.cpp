#include "flags/flags.hpp"

#include <algorithm>

#include "flags/text.hpp"

namespace mlps::cli {

bool is_named(const Flag& flag, std::string_view name) {
  return std::equal(name.begin(), name.end(), flag.name.begin(), flag.name.end(),
                    [](char typed, char real) { return typed == real || (typed == '_' && real == '-'); });
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

std::string_view value_word(const Flag& flag) {
  if (flag.or_max) return "N|max";
  if (!flag.value_name.empty()) return flag.value_name;
  if (flag.kind == FlagKind::kInteger) return "N";
  return flag.kind == FlagKind::kSize ? "SIZE" : "FILE";
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
