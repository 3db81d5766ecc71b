#include "workloads/time_distribution.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "workloads/value_text.hpp"

namespace mlps::workloads {
namespace {

using TimeKind = TimeDistribution::Kind;

struct Type {
  std::string_view name;
  TimeKind kind;
  std::string_view first;
  std::string_view second;  ///< empty if the type has one parameter
};
constexpr std::array<Type, 5> kTypes = {{{"normal", TimeKind::kNormal, "mean", "stdev"},
                                         {"uniform", TimeKind::kUniform, "min", "max"},
                                         {"gamma", TimeKind::kGamma, "shape", "scale"},
                                         {"exponential", TimeKind::kExponential, "scale", ""},
                                         {"poisson", TimeKind::kPoisson, "lam", ""}}};
constexpr std::array<std::string_view, 7> kParameters = {"mean", "stdev", "min", "max", "shape", "scale", "lam"};
constexpr std::array<std::string_view, 3> kDurations = {"train.computation_time", "reader.preprocess_time",
                                                        "evaluation.eval_time"};

std::optional<double> seconds_at(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  return number_of<double>(found->second.value);
}

Result<TimeDistribution> of_type(const Values& values, const std::string& key, const Type& type) {
  for (const std::string_view parameter : kParameters) {
    const std::string full = fmt::format("{}.{}", key, parameter);
    if (parameter == type.first || parameter == type.second || values.count(full) == 0) continue;
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} doesn't go with {}.type={}", full, key, type.name));
  }
  const auto first = seconds_at(values, fmt::format("{}.{}", key, type.first));
  const auto second = seconds_at(values, fmt::format("{}.{}", key, type.second));
  if (!first || (!type.second.empty() && !second)) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("{}.type={} needs {}.{}", key, type.name, key, !first ? type.first : type.second));
  }
  if (type.kind == TimeKind::kUniform && *second < *first) {
    return fail(ErrorCode::kConfigInvalid, fmt::format("{0}.max={1} is less than {0}.min={2}", key, *second, *first));
  }
  return TimeDistribution{type.kind, *first, second.value_or(0)};
}

}  // namespace

Result<TimeDistribution> time_distribution_of(const Values& values, const std::string& key) {
  const auto name = values.find(key + ".type");
  for (const Type& type : kTypes) {
    if (name != values.end() && name->second.value == type.name) return of_type(values, key, type);
  }
  for (const std::string_view parameter : kParameters) {
    const std::string full = fmt::format("{}.{}", key, parameter);
    if (parameter == "mean" || parameter == "stdev" || values.count(full) == 0) continue;
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} needs {}.type", full, key), {},
                "without a type, mean and stdev make a normal distribution");
  }
  auto mean = seconds_at(values, key);
  if (!mean) mean = seconds_at(values, key + ".mean");
  auto stdev = seconds_at(values, key + ".stdev");
  if (!stdev) stdev = seconds_at(values, key + "_stdev");
  if (!mean && !stdev) return TimeDistribution{};
  if (!mean) return fail(ErrorCode::kConfigInvalid, fmt::format("{}: a stdev without a mean", key));
  if (stdev.value_or(0) > 0) return TimeDistribution{TimeKind::kNormal, *mean, *stdev};
  return TimeDistribution{*mean > 0 ? TimeKind::kConstant : TimeKind::kNone, *mean, 0};
}

std::vector<std::string> duration_keys() {
  std::vector<std::string> keys;
  for (const std::string_view duration : kDurations) {
    for (const std::string_view form : {"", "_stdev", ".type"}) keys.push_back(fmt::format("{}{}", duration, form));
    for (const std::string_view parameter : kParameters) keys.push_back(fmt::format("{}.{}", duration, parameter));
  }
  return keys;
}

void replace_other_form(Values& values, const std::string& key) {
  for (const std::string_view duration : kDurations) {
    if (key == duration) {
      const std::string below = key + ".";
      for (auto entry = values.lower_bound(below); entry != values.end() && entry->first.starts_with(below);) {
        entry = values.erase(entry);
      }
    } else if (key.size() > duration.size() && key.starts_with(duration) && key[duration.size()] == '.') {
      values.erase(std::string(duration));
    }
  }
}

}  // namespace mlps::workloads
