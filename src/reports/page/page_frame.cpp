#include "reports/page/page_frame.hpp"

#include <fmt/format.h>

#include "reports/page/markup.hpp"
#include "reports/page/page.hpp"
#include "reports/page/style.hpp"

namespace mlps::reports::page {
namespace {

constexpr size_t kEndOfPage = 3000;  // for what must come: ends of elements, and sentences about what has no room
constexpr size_t kSentence = 600;

}  // namespace

Page::Page(std::string_view title)
    : text_(fmt::format(
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
          "<title>{}</title><style>{}</style></head>\n<body>\n",
          escaped(title, 200), kStyle)) {}

bool Page::has_room(size_t bytes) const {
  return text_.size() + bytes + kEndOfPage <= kMostPageBytes;
}

void Page::add(std::string_view name, const std::string& piece) {
  if (has_room(piece.size())) {
    text_ += piece;
  } else if (text_.size() + kSentence <= kMostPageBytes) {
    text_ += fmt::format("<p class=\"none\">No room on this page: {}; the record has it.</p>\n", escaped(name, 100));
  }
}

std::string Page::finish(std::string_view made_from) const {
  return fmt::format(
      "{}<footer><p>Made from {}; docs/metrics.md of mlpstorage says what each figure means.</p></footer>\n"
      "</body></html>\n",
      text_, made_from);
}

std::string table_of(const Table& table) {
  std::string text = fmt::format("<h3>{}</h3><table><thead><tr>", escaped(table.title));
  for (const std::string& cell : table.header) text += fmt::format("<th>{}</th>", escaped(cell, 80));
  text += "</tr></thead><tbody>";
  for (const std::vector<std::string>& row : table.rows) {
    text += "<tr>";
    for (const std::string& cell : row) text += fmt::format("<td>{}</td>", escaped(cell, 160));
    text += "</tr>\n";
  }
  text += "</tbody></table>\n";
  if (!table.rest.empty()) text += fmt::format("<p class=\"remark\">{}</p>", escaped(table.rest, 100));
  return text;
}

}  // namespace mlps::reports::page
