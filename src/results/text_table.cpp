#include "results/text_table.hpp"

#include <algorithm>

namespace mlps::results {
namespace {

constexpr size_t kTableIndent = 2;
constexpr size_t kGap = 2;

// Characters, not bytes: labels are ASCII, but a server's message or a path may hold any UTF-8.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padding(size_t width, size_t used) {
  return std::string(width > used ? width - used : 0, ' ');
}

}  // namespace

void LabelledLines::add(std::string_view label, std::string_view value) {
  const size_t margin = kTableIndent + label_width_ + kGap;
  text_ += std::string(kTableIndent, ' ') + std::string(label) + padding(label_width_ + kGap, width_of(label));
  size_t column = margin;
  for (bool first = true; !value.empty(); first = false) {
    const size_t end = std::min(value.find(' '), value.size());
    const std::string_view word = value.substr(0, end);
    value.remove_prefix(std::min(end + 1, value.size()));
    if (!first && column + 1 + width_of(word) > kTextWidth) {
      text_ += '\n' + std::string(margin, ' ');
      column = margin;
    } else if (!first) {
      text_ += ' ';
      ++column;
    }
    text_ += word;
    column += width_of(word);
  }
  text_ += '\n';
}

std::string aligned_rows(const std::vector<std::vector<std::string>>& rows, size_t indent) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string fill = padding(widths[i], width_of(row[i]));
      if (i > 0) line += std::string(kGap, ' ');
      line += i == 0 ? row[i] + fill : fill + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace mlps::results
