#include "base/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

#include "base/read_file.hpp"
#include "base/text.hpp"

namespace mlps {
namespace {

// Returns the value that is written after '=': a quoted text up to its closing quote, else the text up to " #".
std::string_view unquoted(std::string_view value) {
  value = trimmed(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) {
    const auto end = value.find(value.front(), 1);
    if (end != std::string_view::npos) return value.substr(1, end - 1);
  }
  const auto comment = value.find(" #");
  return comment == std::string_view::npos ? value : trimmed(value.substr(0, comment));
}

bool is_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
                              std::string_view::npos;
}

}  // namespace

Environment Environment::of_process() {
  Environment result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.values_.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

std::optional<std::string> Environment::get(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Environment::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    if (!value.empty()) names.push_back(name);
  }
  return names;
}

std::string expanded_path(const std::string& path, const Environment& environment) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return environment.get("HOME").value_or("") + path.substr(1);
}

Result<Variables> read_variables(const std::string& path) {
  Variables variables;
  const Result<std::string> text_of_file = read_file(path, "file of variables");
  if (!text_of_file) return fail(text_of_file.error());
  std::istringstream file(*text_of_file);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#') continue;
    if (text.substr(0, 7) == "export ") text = trimmed(text.substr(7));
    const auto equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name)) {
      // The line itself is not shown: it may hold a secret.
      return fail(ErrorCode::kConfigParse, fmt::format("{}:{}: not of the form NAME=value", path, number));
    }
    variables.emplace_back(name, unquoted(text.substr(equals + 1)));
  }
  return variables;
}

}  // namespace mlps
