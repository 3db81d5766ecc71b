#include "reports/row.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rules/validate.hpp"

namespace mlps::reports {

void Row::set_or_blank(std::string_view column, const std::optional<double>& value, std::string reason) {
  if (value) {
    set(column, *value);
  } else {
    blank(column, std::move(reason));
  }
}

const Json* Row::find(std::string_view column) const {
  const auto found = cells_.find(std::string(column));
  return found == cells_.end() ? nullptr : &found->second;
}

bool Row::has_figures(std::string_view prefix) const {
  for (const auto& [column, value] : cells_) {
    if (column.starts_with(prefix) && !column.ends_with(" - Code") && !column.ends_with(" - Logs")) return true;
  }
  return false;
}

Json Row::json() const {
  Json row = Json::object();
  for (const std::string_view column : kColumns) {
    const Json* cell = find(column);
    row.append(std::string(column), cell == nullptr ? Json("") : *cell);
  }
  return row;
}

std::string Row::csv() const {
  std::string line;
  for (size_t i = 0; i < kColumns.size(); ++i) {
    if (i > 0) line += ',';
    const Json* cell = find(kColumns[i]);
    if (cell == nullptr) continue;
    std::string text;
    if (const Json* href = cell->is_object() ? cell->find("href") : nullptr; href != nullptr) {
      text = fmt::format("<a href=\"{}\">{}</a>", *href->text(), *cell->find("text")->text());
    } else {
      text = cell->text() != nullptr ? *cell->text() : cell->dump();
    }
    rules::append_csv_cell(line, text);
  }
  return line;
}

Json whole(double value) {
  constexpr double kMostExact = 9e15;
  if (value == std::floor(value) && std::abs(value) < kMostExact) return static_cast<int64_t>(value);
  return value;
}

std::string table_json(const std::vector<const Row*>& rows) {
  Json table = Json::array();
  for (const Row* row : rows) table.push_back(row->json());
  return table.dump(2) + "\n";
}

std::string table_csv(const std::vector<const Row*>& rows) {
  std::string text;
  for (size_t i = 0; i < kColumns.size(); ++i) {
    if (i > 0) text += ',';
    rules::append_csv_cell(text, kColumns[i]);
  }
  text += '\n';
  for (const Row* row : rows) text += row->csv() + '\n';
  return text;
}

}  // namespace mlps::reports
