#include "flags/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "flags/text.hpp"
#include "world/host_list.hpp"

namespace mlps::cli {
namespace {

tl::unexpected<Error> wrong(const Flag& flag, std::string_view text, std::string_view legal) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: '{}' is not {}", typed_name(flag), text, legal));
}

std::string range_text(const Flag& flag) {
  const bool size = flag.kind == FlagKind::kSize;
  const auto show = [&](uint64_t value) { return size ? human_bytes(value) : grouped(value); };
  const char* also = flag.or_max ? ", or in whatif mode max" : "";
  if (flag.maximum == UINT64_MAX) return fmt::format("{} or more{}", show(flag.minimum), also);
  return fmt::format("{} to {}{}", show(flag.minimum), show(flag.maximum), also);
}

Status check_range(const Flag& flag, std::string_view text, uint64_t value) {
  if (value >= flag.minimum && value <= flag.maximum) return {};
  return wrong(flag, text, fmt::format("in its range: {}", range_text(flag)));
}

Status check_choice(const Flag& flag, Mode mode, std::string_view text) {
  const std::vector<std::string> choices = choices_of(flag, mode);
  if (std::any_of(choices.begin(), choices.end(), [&](const auto& word) { return lower(word) == lower(text); })) {
    return {};
  }
  Error error = wrong(flag, text, fmt::format("one of: {}", join(choices, ", "))).value();
  const std::vector<std::string_view> names(choices.begin(), choices.end());
  if (mode != Mode::kWhatif && check_choice(flag, Mode::kWhatif, text)) {
    error.suggestion = fmt::format("'{}' is available in whatif mode only", text);
  } else if (const std::string near = nearest(text, names); !near.empty()) {
    error.suggestion = fmt::format("did you mean '{}'?", near);
  } else if (flag.name == "exec-type" && text == "docker") {
    error.suggestion = "this program starts no containers; start it inside one instead";
  }
  return fail(std::move(error));
}

Status check_pair(std::string_view text) {
  constexpr std::array kMoved = {"storage.storage_library", "storage.uri_scheme", "storage.prefetch_window"};
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("--params: '{}' is not of the form key=value", text), {},
                "for example: --params checkpoint.time_between_checkpoints=0");
  }
  const std::string_view key = text.substr(0, equals);
  if (std::find(kMoved.begin(), kMoved.end(), key) == kMoved.end()) return {};
  const std::string_view last = key.substr(key.find('.') + 1);
  return fail(ErrorCode::kConfigInvalid, fmt::format("--params: there is no key '{}'", key), {},
              fmt::format("the key is storage.storage_options.{}", last));
}

constexpr std::string_view kMaxWord = "max";

// A search makes many runs of different loads, which are no result of a submission.
Status check_search(const Flag& flag, Mode mode, std::string_view text) {
  if (mode == Mode::kWhatif) return {};
  Error error = wrong(flag, text, fmt::format("a number, which {} mode needs", mode_name(mode))).value();
  error.suggestion = "search in whatif mode, and give the number that it finds";
  return fail(std::move(error));
}

constexpr size_t kMostLabelBytes = 200;

/// Returns how many bytes the UTF-8 character at the beginning of `text` has; 0 if none begins there.
size_t character_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Neither longer than needed, nor a surrogate, nor beyond the last character.
  const bool wrong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) >= 0xa0) ||
                     (byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) >= 0x90);
  return wrong ? 0 : size;
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > kMostLabelBytes) return false;
  while (!text.empty()) {
    const size_t size = character_bytes(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (size == 0 || control) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::optional<bool> switch_value(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

Status check_value(const Flag& flag, Mode mode, std::string_view text) {
  if (flag.or_max && lower(text) == kMaxWord) return check_search(flag, mode, text);
  switch (flag.kind) {
    case FlagKind::kSwitch:
      if (switch_value(text)) return {};
      return wrong(flag, text, "true or false");
    case FlagKind::kInteger: {
      const std::optional<uint64_t> value = parse_number<uint64_t>(text);
      if (!value) return wrong(flag, text, fmt::format("a whole number, {}", range_text(flag)));
      return check_range(flag, text, *value);
    }
    case FlagKind::kReal: {
      const std::optional<double> value = parse_number<double>(text);
      const bool is_small = value && (flag.real_maximum == 0 || *value <= flag.real_maximum);
      if (value && std::isfinite(*value) && *value > 0 && is_small) return {};
      const std::string most = flag.real_maximum == 0 ? "" : fmt::format(" and up to {}", flag.real_maximum);
      return wrong(flag, text, "a number above 0" + most);
    }
    case FlagKind::kSize: {
      const Result<uint64_t> value = parse_size(text);
      if (!value) return wrong(flag, text, "a size such as 16MiB or 1.5GiB");
      return check_range(flag, text, *value);
    }
    case FlagKind::kChoice:
      return check_choice(flag, mode, text);
    case FlagKind::kHosts: {
      const Result<std::vector<std::string>> hosts = parse_hosts({std::string(text)});
      if (!hosts) return fail(hosts.error());
      return {};
    }
    case FlagKind::kPairs:
      return check_pair(text);
    case FlagKind::kName:
      if (is_plain_name(text)) return {};
      return wrong(flag, text, "a name of at most 255 letters, digits, '.', '_' and '-'");
    case FlagKind::kLabel:
      if (is_label(text)) return {};
      return wrong(flag, text, "1 to 200 bytes of UTF-8 on one line, without control characters");
    case FlagKind::kText:
    case FlagKind::kPath:
    case FlagKind::kLocation:
    case FlagKind::kRepeated:
      break;
  }
  if (text.empty() || text.find('\n') != std::string_view::npos) return wrong(flag, text, "a line of text");
  return {};
}

Result<std::vector<std::string>> parse_hosts(const std::vector<std::string>& words) {
  const auto hosts = world::parse_host_list(words);
  if (!hosts) return fail(hosts.error());
  std::vector<std::string> entries;
  for (const world::Host& host : *hosts) {
    entries.push_back(host.slots ? fmt::format("{}:{}", host.name, *host.slots) : host.name);
  }
  return entries;
}

std::string Reader::origin(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? "" : found->second.origin;
}

std::string Reader::checked(std::string_view name) {
  const Flag* row = command_.find_flag(name);
  if (row == nullptr) return {};
  const Flag& flag = *row;
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::string(flag.default_text);
  const std::string& text = found->second.values.back();
  if (Status status = check_value(flag, command_.mode, text); !status) {
    if (found->second.source != Source::kTyped) status.error().details = "from " + found->second.origin;
    errors_.push_back(std::move(status.error()));
    return std::string(flag.default_text);
  }
  return text;
}

bool Reader::is_max(std::string_view name) {
  const Flag* flag = command_.find_flag(name);
  return flag != nullptr && flag->or_max && lower(checked(name)) == kMaxWord;
}

bool Reader::on(std::string_view name) {
  return switch_value(checked(name)).value_or(false);
}

std::string Reader::text(std::string_view name) {
  return checked(name);
}

std::string Reader::choice(std::string_view name) {
  const std::string text = checked(name);
  const Flag* flag = command_.find_flag(name);
  if (flag == nullptr) return text;
  for (const std::string& word : choices_of(*flag, command_.mode)) {
    if (lower(word) == lower(text)) return word;
  }
  return text;
}

uint64_t Reader::integer(std::string_view name) {
  return parse_number<uint64_t>(checked(name)).value_or(0);
}

std::optional<uint64_t> Reader::optional_integer(std::string_view name) {
  return parse_number<uint64_t>(checked(name));
}

double Reader::real(std::string_view name) {
  return parse_number<double>(checked(name)).value_or(0);
}

uint64_t Reader::size(std::string_view name) {
  return parse_size(checked(name)).value_or(0);
}

std::vector<std::string> Reader::list(std::string_view name) {
  const auto found = settings_.find(name);
  return found == settings_.end() ? std::vector<std::string>{} : found->second.values;
}

std::vector<std::string> Reader::hosts(std::string_view name) {
  std::vector<std::string> words = list(name);
  if (words.empty()) words.emplace_back(command_.find_flag(name)->default_text);
  Result<std::vector<std::string>> hosts = parse_hosts(words);
  if (hosts) return std::move(*hosts);
  if (given(name) && origin(name) != "flag") hosts.error().details = "from " + origin(name);
  errors_.push_back(std::move(hosts.error()));
  return {};
}

std::vector<std::pair<std::string, std::string>> Reader::pairs(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string& text : list(name)) {
    if (Status status = check_pair(text); !status) {
      if (origin(name) != "flag") status.error().details = "from " + origin(name);
      errors_.push_back(std::move(status.error()));
      continue;
    }
    const size_t equals = text.find('=');
    result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Json Reader::value(const Flag& flag) {
  if (is_max(flag.name)) return std::string(kMaxWord);
  const auto or_null = [](const auto& known) { return known ? Json(*known) : Json(); };
  switch (flag.kind) {
    case FlagKind::kSwitch:
      return on(flag.name);
    case FlagKind::kInteger:
      return or_null(optional_integer(flag.name));
    case FlagKind::kReal:
      return or_null(parse_number<double>(checked(flag.name)));
    case FlagKind::kSize:
      return given(flag.name) || !flag.default_text.empty() ? Json(size(flag.name)) : Json();
    case FlagKind::kHosts:
      return hosts(flag.name);
    case FlagKind::kPairs:
    case FlagKind::kRepeated:
      return list(flag.name);
    default:
      break;
  }
  const std::string text = choice(flag.name);
  return text.empty() ? Json() : Json(text);
}

Json Reader::arguments() {
  Json json = Json::object();
  for (const Flag* flag : command_.flags()) {
    if (!command_.has_in_some_mode(*flag)) continue;
    std::string key = key_name(*flag);
    if (flag->kind == FlagKind::kSize) key = key.substr(0, key.rfind("_size")) + "_bytes";
    json[key] = value(*flag);
  }
  return json;
}

namespace {

std::string advice_on_missing(const Flag& flag, Mode mode) {
  if (!flag.variable.empty()) {
    const std::string set =
        flag.user_file ? fmt::format(", or: mlpstorage config set {} ...", key_name(flag)) : std::string();
    return fmt::format("give {} {}, or set {}{}", typed_name(flag), value_word(flag), flag.variable, set);
  }
  if (flag.kind == FlagKind::kChoice) return fmt::format("one of: {}", join(choices_of(flag, mode), ", "));
  return fmt::format("give {} {}", typed_name(flag), value_word(flag));
}

}  // namespace

void Reader::report_missing(const std::vector<const Flag*>& reported) {
  std::vector<const Flag*> flags = command_.flags();
  std::stable_partition(flags.begin(), flags.end(), [](const Flag* flag) { return flag->variable.empty(); });
  for (const Flag* flag : flags) {
    if (!command_.requires_flag(*flag) || given(flag->name)) continue;
    if (std::find(reported.begin(), reported.end(), flag) != reported.end()) continue;
    errors_.push_back({ErrorCode::kConfigMissing,
                       fmt::format("{} is required", typed_name(*flag)),
                       {},
                       advice_on_missing(*flag, command_.mode)});
  }
}

}  // namespace mlps::cli
