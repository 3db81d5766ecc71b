#include "workloads/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "workloads/columns.hpp"
#include "workloads/value_text.hpp"

namespace mlps::workloads {
namespace {

tl::unexpected<Error> bad_value(std::string_view key, std::string_view value, std::string_view legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not legal", key, value.substr(0, 200)), {},
              fmt::format("{} takes {}", key, legal));
}

std::string last_part(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

// Returns the legal word that `value` spells, in any case, so that a YAML bool keeps one spelling.
std::optional<std::string> word_of(std::string_view words, std::string_view value) {
  const std::string wanted = lower(value);
  for (std::string& word : split(words, "|")) {
    if (lower(word) == wanted) return std::move(word);
  }
  return std::nullopt;
}

Result<std::string> checked_word(const Key& key, std::string_view words, std::string_view value) {
  const auto word = word_of(words, value);
  if (!word) return bad_value(key.name, value, join(split(words, "|"), ", "));
  return *word;
}

// The spellings of YAML 1.1, which DLIO reads, and numbers.
Result<std::string> checked_bool(const Key& key, std::string_view value) {
  for (const auto& [word, words] : {std::pair{"True", "true|yes|on|y|1"}, {"False", "false|no|off|n|0"}}) {
    if (word_of(words, value)) return word;
  }
  return bad_value(key.name, value, "True, False");
}

Result<std::string> checked_count(const Key& key, std::string_view value) {
  const auto count = number_of<uint64_t>(value);
  if (count && *count >= key.least && *count <= key.most) return std::string(value);
  return bad_value(key.name, value, fmt::format("a whole number from {} to {}", key.least, key.most));
}

Result<std::string> checked_count_or_minus_one(const Key& key, std::string_view value) {
  if (value == "-1" || checked_count(key, value)) return std::string(value);
  return bad_value(key.name, value,
                   fmt::format("a whole number from {} to {}, or -1 for {}", key.least, key.most, key.words));
}

Result<std::string> checked_real(const Key& key, std::string_view value) {
  const auto real = number_of<double>(value);
  if (real && *real >= static_cast<double>(key.least) && *real <= static_cast<double>(key.most)) {
    return std::string(value);
  }
  return bad_value(key.name, value, fmt::format("a number from {} to {}", key.least, key.most));
}

Result<std::string> checked_seconds(const Key& key, std::string_view value) {
  const auto seconds = number_of<double>(value);
  // DLIO takes the absolute value; a negative pause is more likely a mistake.
  if (seconds && *seconds >= 0 && *seconds <= 86400) return std::string(value);
  return bad_value(key.name, value, "seconds, from 0 to 86400");
}

Result<std::string> checked_counts(const Key& key, std::string_view value) {
  const auto names = list_of(value);
  const bool good = names && std::all_of(names->begin(), names->end(),
                                         [&](const std::string& name) { return checked_count(key, name).has_value(); });
  if (good) return list_text(*names);
  return bad_value(key.name, value, fmt::format("a list of whole numbers from {} to {}", key.least, key.most));
}

Result<std::string> checked(const Key& key, std::string_view value) {
  switch (key.kind) {
    case Kind::kText:
      if (value.empty()) return bad_value(key.name, value, "a text that isn't empty");
      return std::string(value);
    case Kind::kWord:
      return checked_word(key, key.words, value);
    case Kind::kBool:
      return checked_bool(key, value);
    case Kind::kCount:
      return checked_count(key, value);
    case Kind::kCountOrMinusOne:
      return checked_count_or_minus_one(key, value);
    case Kind::kReal:
      return checked_real(key, value);
    case Kind::kSeconds:
      return checked_seconds(key, value);
    case Kind::kNames: {
      const auto names = list_of(value);
      if (!names) return bad_value(key.name, value, "a list: [a, b]");
      return list_text(*names);
    }
    case Kind::kCounts:
      return checked_counts(key, value);
    case Kind::kColumns: {
      const auto columns = columns_of(value);
      if (!columns) return fail(columns.error());
      return columns_text(*columns);
    }
    case Kind::kSecret:
      break;
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{} is not taken from parameters or workload files", key.name), {},
              "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile: they would end up in result files");
}

}  // namespace

const Key* Schema::find(std::string_view key) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& known) { return known.name == key; });
  return found == keys_.end() ? nullptr : &*found;
}

bool Schema::knows(std::string_view key) const {
  if (find(key) != nullptr) return true;
  return !open_prefix_.empty() && key.size() > open_prefix_.size() &&
         key.substr(0, open_prefix_.size()) == open_prefix_ &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string_view::npos;
}

Result<std::string> Schema::checked_value(std::string_view key, std::string_view value) const {
  if (const Key* known = find(key)) {
    auto result = checked(*known, value);
    if (!result && !known->no_effect_as.empty()) return std::string(value);
    return result;
  }
  if (knows(key)) return std::string(value);
  const std::string nearest = nearest_known(key);
  return fail(ErrorCode::kConfigInvalid, fmt::format("unknown parameter \"{}\"", key.substr(0, 200)), {},
              nearest.empty() ? fmt::format("the sections are {}; `configview` lists their keys", sections_)
                              : std::string(trimmed(nearest)));
}

std::string Schema::nearest_known(std::string_view key) const {
  std::vector<std::string> names;
  names.reserve(keys_.size());
  for (const Key& known : keys_) names.emplace_back(known.name);
  return did_you_mean(key, names);
}

Error together(const std::vector<Error>& errors) {
  if (errors.size() == 1) return errors.front();
  Error all{errors.front().code, fmt::format("{} faults", errors.size()), {}, {}};
  for (const Error& error : errors) {
    all.message += fmt::format("{} {}", &error == &errors.front() ? ":" : ";", error.message);
    if (error.suggestion.empty() || all.suggestion.find(error.suggestion) != std::string::npos) continue;
    all.suggestion += fmt::format("{}{}", all.suggestion.empty() ? "" : "; ", error.suggestion);
  }
  return all;
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names) {
  // A very long word is not a misspelling, and the distance would be expensive.
  if (name.size() > 100) return std::nullopt;
  const std::string wanted = lower(name);
  std::optional<std::string> best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    // The section may be missing: "num_checkpoints_write".
    const std::string last = last_part(candidate);
    size_t distance = std::min(edit_distance(wanted, candidate), edit_distance(wanted, last) + 1);
    // Or be the wrong one: "storage.prefetch_window".
    if (last_part(wanted) == last) distance = std::min<size_t>(distance, 2);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const auto nearest = nearest_name(name, names);
  return nearest ? fmt::format("did you mean {}? ", *nearest) : "";
}

}  // namespace mlps::workloads
