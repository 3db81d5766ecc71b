#include "reports/public_ids.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/text.hpp"
#include "results/run_folder.hpp"

namespace mlps::reports {
namespace {

constexpr std::string_view kPrefix = "v3.0-";
constexpr uint64_t kMostNumber = 99'999'999;

std::string id_of(uint64_t number) {
  return fmt::format("{}{:04}", kPrefix, number);
}

std::optional<uint64_t> number_of(const rules::Node& id) {
  const std::string text = id.text_or("");
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const auto number = parse_number<uint64_t>(std::string_view(text).substr(kPrefix.size()));
  return number && *number <= kMostNumber ? number : std::nullopt;
}

}  // namespace

Result<PublicIds> PublicIds::load(const rules::Tree& tree, const std::vector<std::string>& paths) {
  PublicIds ids;
  for (const std::string& path : paths) {
    if (ids.path_.empty() && tree.has(path)) ids.path_ = path;
  }
  if (ids.path_.empty()) return ids;
  const auto malformed = [&](std::string what) {
    return fail(ErrorCode::kConfigParse, fmt::format("{} {}", ids.path_, what), {},
                "repair it, or remove it to number the rows by their places: ids that were published may change then");
  };
  rules::Problems problems;
  const rules::Document registry = tree.json(ids.path_, problems);
  if (!problems.empty()) return malformed(problems.front().message);
  const rules::Node assignments = registry["assignments"];
  if (!assignments.is_list()) return malformed("has no list assignments");
  for (size_t i = 0; i < assignments.size(); ++i) {
    const rules::Node one = assignments.item(i);
    const auto number = number_of(one["public_id"]);
    if (!number)
      return malformed(fmt::format("assignments[{}].public_id is {}, not {}NNNN", i, one["public_id"].dump(), kPrefix));
    Assignment& assigned = ids.assigned_[*number];
    assigned.family = one["benchmark_type"].text_or("");
    for (size_t part = 0; part < one["key"].size(); ++part) assigned.key.push_back(one["key"].item(part).text_or(""));
    ids.next_ = std::max(ids.next_, *number + 1);
  }
  const double next = registry["next_index"].number().value_or(1);
  if (next > 0 && next <= static_cast<double>(kMostNumber))
    ids.next_ = std::max(ids.next_, static_cast<uint64_t>(next));
  return ids;
}

std::string PublicIds::assign(const std::string& family, const std::vector<std::string>& key) {
  for (const auto& [number, assigned] : assigned_) {
    if (assigned.family != family || assigned.key != key || used_[number]) continue;
    used_[number] = true;
    return id_of(number);
  }
  const uint64_t number = next_++;
  assigned_[number] = {family, key};
  used_[number] = true;
  return id_of(number);
}

Status PublicIds::save(const rules::Tree& tree) const {
  if (path_.empty()) return {};
  Json assignments = Json::array();
  for (const auto& [number, assigned] : assigned_) {
    const auto part = [&](size_t index) { return index < assigned.key.size() ? assigned.key[index] : std::string(); };
    assignments.push_back({{"public_id", id_of(number)},
                           {"category", part(0)},
                           {"organization", part(1)},
                           {"system", part(2)},
                           {"benchmark_type", assigned.family},
                           {"key", Json(assigned.key)}});
  }
  const Json registry = {{"assignments", std::move(assignments)}, {"next_index", next_}, {"public_id_prefix", kPrefix}};
  return results::write_file(tree.absolute(path_), registry.dump(2) + "\n");
}

}  // namespace mlps::reports
