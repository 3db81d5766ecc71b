// Records that others wrote, as the page that a report makes of them.
#include <algorithm>

#include "../unit/support/page_check.hpp"
#include "fuzz.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/page.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string text(fuzz::text_of(data, size));
  const std::string shown =
      "<!DOCTYPE html>\n<p title=\"" + reports::page::escaped(text) + "\">" + reports::page::escaped(text, 7) + "</p>";
  fuzz::require(test::PageCheck::problem(shown).empty(), "any text can stand on a page");
  const auto record = rules::parse_json_document(text);
  if (!record) return 0;
  const auto view = reports::page::view_of(*record);
  if (!view) return 0;
  const std::string page = reports::page::page_of({*view});
  fuzz::require(test::PageCheck::problem(page).empty(), "a page is well-formed");
  fuzz::require(page.size() <= reports::page::kMostPageBytes, "a page is small");
  const std::string answer = reports::page::answer_text(*view);
  const auto lines = static_cast<size_t>(std::count(answer.begin(), answer.end(), '\n'));
  fuzz::require(lines <= reports::page::kMostAnswerLines, "an answer is short");
  return 0;
}
