#include "workloads/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/edit_distance.hpp"

namespace mlps::workloads {
namespace {

enum class Kind { kText, kWord, kBool, kCount, kSeconds, kDataParallel };

struct Key {
  std::string_view name;
  Kind kind;
  std::string_view words = {};  ///< kWord: the legal ones, separated by '|'
  uint64_t least = 0;           ///< kCount
  // The limits are far above any model and keep every product of the size formulas below 2^63.
  uint64_t most = 0;
  bool required = true;
};

constexpr std::string_view kDatatypes = "int8|uint8|fp16|bf16|fp32|fp64";

constexpr std::array<Key, 25> kKeys = {{
    {"model.name", Kind::kText},
    {"model.type", Kind::kWord, "transformer"},
    {"model.num_layers", Kind::kCount, {}, 1, 4096},
    {"model.model_datatype", Kind::kWord, kDatatypes},
    {"model.optimizer_datatype", Kind::kWord, kDatatypes},
    {"model.parallelism.tensor", Kind::kCount, {}, 1, 65536},
    {"model.parallelism.pipeline", Kind::kCount, {}, 1, 4096},
    {"model.parallelism.data", Kind::kDataParallel, {}, 0, 0, false},
    {"model.parallelism.zero_stage", Kind::kCount, {}, 0, 3},
    {"model.transformer.vocab_size", Kind::kCount, {}, 1, 16777216},
    {"model.transformer.hidden_size", Kind::kCount, {}, 1, 262144},
    {"model.transformer.ffn_hidden_size", Kind::kCount, {}, 1, 1048576},
    {"model.transformer.num_attention_heads", Kind::kCount, {}, 1, 262144},
    {"model.transformer.num_kv_heads", Kind::kCount, {}, 1, 262144},
    {"framework", Kind::kWord, "pytorch"},
    // This benchmark is checkpoints and nothing else: another workflow is refused, not ignored.
    {"workflow.generate_data", Kind::kWord, "False"},
    {"workflow.train", Kind::kWord, "False"},
    {"workflow.checkpoint", Kind::kWord, "True"},
    {"checkpoint.checkpoint_folder", Kind::kText},
    {"checkpoint.time_between_checkpoints", Kind::kSeconds},
    {"checkpoint.num_checkpoints_write", Kind::kCount, {}, 0, 1000000},
    {"checkpoint.num_checkpoints_read", Kind::kCount, {}, 0, 1000000},
    {"checkpoint.fsync", Kind::kBool},
    {"checkpoint.rank_sync", Kind::kBool, {}, 0, 0, false},
    {"checkpoint.mode", Kind::kWord, "default|subset", 0, 0, false},
}};
constexpr std::string_view kStoragePrefix = "storage.";

tl::unexpected<Error> bad_value(std::string_view key, std::string_view value, std::string_view legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not legal", key, value), {},
              fmt::format("{} takes {}", key, legal));
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The legal word that `value` spells, whatever its case; a YAML bool keeps the file's spelling that way.
std::optional<std::string> word_of(std::string_view words, std::string_view value) {
  const std::string wanted = lowered(value);
  for (size_t begin = 0; begin <= words.size();) {
    const size_t end = std::min(words.find('|', begin), words.size());
    const std::string_view word = words.substr(begin, end - begin);
    if (lowered(word) == wanted) return std::string(word);
    begin = end + 1;
  }
  return std::nullopt;
}

std::string listed(std::string_view words) {
  std::string text(words);
  for (size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|')) text.replace(bar, 1, ", ");
  return text;
}

Result<std::string> checked(const Key& key, std::string_view value) {
  switch (key.kind) {
    case Kind::kText:
      if (value.empty()) return bad_value(key.name, value, "a text that isn't empty");
      return std::string(value);
    case Kind::kWord:
    case Kind::kBool: {
      const std::string_view words = key.kind == Kind::kBool ? "True|False" : key.words;
      const auto word = word_of(words, value);
      if (!word) return bad_value(key.name, value, listed(words));
      return *word;
    }
    case Kind::kCount: {
      const auto count = number<uint64_t>(value);
      if (!count || *count < key.least || *count > key.most) {
        return bad_value(key.name, value, fmt::format("a whole number from {} to {}", key.least, key.most));
      }
      return std::string(value);
    }
    case Kind::kSeconds: {
      const auto seconds = number<double>(value);
      // The original takes the absolute value; a negative pause is more likely a slip.
      if (!seconds || !std::isfinite(*seconds) || *seconds < 0 || *seconds > 86400) {
        return bad_value(key.name, value, "seconds, from 0 to 86400");
      }
      return std::string(value);
    }
    case Kind::kDataParallel: {
      const auto data = number<int64_t>(value);
      if (!data || *data == 0 || *data < -1 || *data > 65536) {
        return bad_value(key.name, value, "the number of data-parallel instances (1 to 65536), or -1 for automatic");
      }
      return std::string(value);
    }
  }
  return bad_value(key.name, value, "nothing this build knows of");
}

bool is_storage_key(std::string_view key) {
  return key.size() > kStoragePrefix.size() && key.substr(0, kStoragePrefix.size()) == kStoragePrefix &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& names) {
  // A very long word is no misspelling, and would make the distance costly.
  if (name.size() > 100) return std::nullopt;
  const std::string wanted = lowered(name);
  std::optional<std::string> best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    // People also leave the section away: "num_checkpoints_write".
    const std::string last = candidate.substr(candidate.rfind('.') + 1);
    const size_t distance = std::min(edit_distance(wanted, candidate), edit_distance(wanted, last) + 1);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

Result<std::string> checked_value(std::string_view key, std::string_view value) {
  for (const Key& known : kKeys) {
    if (known.name == key) return checked(known, value);
  }
  if (is_storage_key(key)) return std::string(value);
  std::vector<std::string> names;
  names.reserve(kKeys.size());
  for (const Key& known : kKeys) names.emplace_back(known.name);
  const auto nearest = nearest_name(key, names);
  return fail(ErrorCode::kConfigInvalid, fmt::format("unknown parameter \"{}\"", key.substr(0, 200)), {},
              nearest ? fmt::format("did you mean {}?", *nearest)
                      : "the sections are model, workflow, checkpoint and storage; `configview` lists their keys");
}

std::vector<std::string_view> required_keys() {
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) {
    if (key.required) names.push_back(key.name);
  }
  return names;
}

}  // namespace mlps::workloads
