// Requests to --metrics, its addresses, names that are shown on a terminal, and records that become rows of --csv.
#include "base/terminal.hpp"
#include "fuzz.hpp"
#include "live/metrics_server.hpp"
#include "live/outputs.hpp"
#include "live/view.hpp"
#include "reports/csv.hpp"

namespace {

void look_at_names(const std::string& text) {
  using namespace mlps;
  live::State state;
  state.what = state.place = state.phase = text;
  state.is_aside = true;
  state.parts = {{text, 1, 2}};
  state.done_share = 0.5;
  for (const bool utf8 : {false, true}) {
    const live::Screen screen{40 + text.size() % 100, 24, utf8, false};
    for (const std::string& line : live::full_view(state, screen)) {
      fuzz::require(columns_of(line) < screen.columns, "a line has room");
      for (const char c : line) fuzz::require(c != '\n' && c != '\r' && c != '\x1b', "a terminal obeys no name");
    }
    fuzz::require(columns_of(live::one_line(state, screen)) < screen.columns, "one line has room");
  }
  const std::string json = live::json_line(state, {}, 0);
  fuzz::require(json.find('\n') == json.size() - 1, "a state is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string text(fuzz::text_of(data, size));
  const live::Answer answer = live::answer_to(text);
  fuzz::require(answer.has_metrics == (answer.status == 200), "metrics are all that is found");
  if (const auto parts = live::split_address(text)) {
    const std::string& host = parts->first;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    const auto again = live::split_address((is_ipv6 ? "[" + host + "]" : host) + ":" + parts->second);
    fuzz::require(again && *again == *parts, "an address survives being shown");
  }
  look_at_names(text);
  if (const auto record = rules::parse_json_document(text)) {
    const std::string row = reports::csv_row(*record);
    fuzz::require(row.starts_with("mlpstorage.csv/1,") && row.ends_with('\n'), "a row has its columns");
  }
  return 0;
}
