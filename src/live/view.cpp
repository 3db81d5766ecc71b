#include "live/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "base/terminal.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace mlps::live {
namespace {

constexpr size_t kLeastColumns = 60;
constexpr size_t kLeastRows = 12;
constexpr size_t kLabel = 10;  // columns before the figures of a row
constexpr size_t kShortestBar = 8, kLongestBar = 40;
constexpr const char* kGap = "   ";
constexpr double kWorthALine = 0.005;  // of a rank's time

std::string share(double value) {
  return tenths(100 * value);
}

std::string seconds_text(double seconds) {
  return time_text(seconds * 1e9);
}

std::string done_text(const State& state) {
  // What is nearly done is not done.
  return state.done_share ? fmt::format("{:.0f} %", std::floor(100 * std::clamp(*state.done_share, 0.0, 1.0))) : "";
}

std::string parts_text(const State& state) {
  std::string text;
  for (const Part& part : state.parts) {
    if (!text.empty()) text += "  ";
    text += fmt::format("{} {}", part.word, grouped(part.number));
    if (part.total > 0) text += "/" + grouped(part.total);
  }
  return text;
}

/// Returns the phase where the parts don't say it, or the rest of a pause.
std::string phase_text(const State& state) {
  if (state.pause_left_s) return fmt::format("pause, {:.0f} s left", std::ceil(*state.pause_left_s));
  return state.is_aside ? state.phase : "";
}

std::string left_text(const State& state) {
  if (!state.left_s) return "";
  const std::string with = state.left_with.empty() ? "" : fmt::format(" with {}", state.left_with);
  return fmt::format("about {} left{}", clock_text(*state.left_s), with);
}

/// Puts figures behind the label of their row, as many as have room.
class Row {
 public:
  Row(std::string_view label, size_t columns) : text_(fmt::format("{:<{}}", label, kLabel)), columns_(columns) {}

  void add(std::string_view figure, Color color = Color::kNone) {
    const std::string_view gap = is_empty_ ? "" : kGap;
    if (figure.empty() || columns_of(text_) + gap.size() + columns_of(figure) > columns_) return;
    text_.append(gap).append(in_color(figure, color));
    is_empty_ = false;
  }
  template <class Value, class Text>
  void add_known(const std::optional<Value>& value, const Text& text) {
    if (value) add(text(*value));
  }
  size_t room() const { return columns_ - std::min(columns_, columns_of(text_)); }
  void put_into(std::vector<std::string>& lines) const {
    if (!is_empty_) lines.push_back(text_);
  }

 private:
  std::string text_;
  size_t columns_;
  bool is_empty_ = true;
};

/// Draws a state for a screen.
class View {
 public:
  View(const State& state, const Screen& screen)
      : state_(state), screen_(screen), columns_(std::max<size_t>(screen.columns, 2) - 1) {}

  std::vector<std::string> lines() {
    add_head();
    add_bar();
    add_au();
    add_throughput();
    add_history();
    add_items();
    add_idle();
    add_latency();
    add_slowest();
    for (std::string& line : lines_) line = fitting(line);
    return lines_;
  }

  std::string line() const {
    std::vector<std::string> pieces = {parts_text(state_), phase_text(state_), done_text(state_), left_text(state_)};
    if (state_.au_percent) {
      const auto need = state_.au_needed_percent ? fmt::format(" (need {:.0f})", *state_.au_needed_percent) : "";
      pieces.push_back("AU " + tenths(*state_.au_percent) + need);
    }
    if (state_.bytes_per_s) pieces.push_back(rate_text(*state_.bytes_per_s));
    if (state_.items_per_s) pieces.push_back(fmt::format("{} {}/s", figure(*state_.items_per_s), state_.item));
    if (state_.latency_p99_s) pieces.push_back("p99 " + seconds_text(*state_.latency_p99_s));
    if (state_.retries.value_or(0) > 0) pieces.push_back(counted(*state_.retries, "retry", "retries"));
    if (!state_.host.empty()) pieces.push_back(state_.host);
    std::string text;
    for (const std::string& piece : pieces) {
      const std::string more = piece.empty() || text.empty() ? piece : "  " + piece;
      if (!text.empty() && columns_of(text) + columns_of(plain(more)) > columns_) break;
      text += plain(more);
    }
    return fitting(text);
  }

 private:
  Color only_if(bool wanted, Color color) const { return wanted && screen_.color ? color : Color::kNone; }
  std::string_view mark() const { return screen_.utf8 ? "\u2026" : "..."; }
  std::string fitting(const std::string& text) const { return cut_to_columns(text, columns_, mark()); }

  /// Returns a text as the screen can show it: names may hold anything.
  std::string plain(const std::string& text) const {
    std::string shown = terminal_text(text);
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    if (screen_.utf8) return shown;
    std::string ascii;
    for (const char c : shown) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) ascii += c;
      if (byte >= 0xc0) ascii += '?';  // one for each character
    }
    return ascii;
  }

  void add_head() {
    std::string left;
    for (const std::string* word : {&state_.what, &state_.scale, &state_.host, &state_.place}) {
      if (!word->empty()) left += (left.empty() ? "" : "  ") + plain(*word);
    }
    std::string right = state_.elapsed_s ? clock_text(*state_.elapsed_s) : "";
    if (const std::string rest = left_text(state_); !rest.empty()) right += (right.empty() ? "" : ", ") + rest;
    const size_t room = columns_ - std::min(columns_, columns_of(right) + 2);
    if (room < kLeastColumns / 3) {
      lines_.push_back(left);
      lines_.push_back(right);
      return;
    }
    left = cut_to_columns(left, room, mark());
    lines_.push_back(left + std::string(columns_ - columns_of(left) - columns_of(right), ' ') + right);
  }

  void add_bar() {
    std::string left = plain(parts_text(state_));
    const std::string phase = plain(phase_text(state_));
    if (!phase.empty()) left += (left.empty() ? "" : "  ") + phase;
    const std::string percent = done_text(state_);
    const size_t used = columns_of(left) + columns_of(percent) + 5;
    if (percent.empty() || used + kShortestBar > columns_) {
      lines_.push_back(percent.empty() ? left : left + "  " + percent);
      return;
    }
    const size_t width = std::min(columns_ - used, kLongestBar);
    const auto filled =
        static_cast<size_t>(std::floor(std::clamp(*state_.done_share, 0.0, 1.0) * static_cast<double>(width)));
    std::string bar;
    for (size_t i = 0; i < width; ++i)
      bar += i < filled ? (screen_.utf8 ? "\u2588" : "#") : (screen_.utf8 ? "\u2591" : "-");
    lines_.push_back(fmt::format("{}  [{}] {}", left, in_color(bar, only_if(true, Color::kGood)), percent));
  }

  void add_au() {
    if (!state_.au_percent && state_.epoch_au.empty()) return;
    Row row("AU", columns_);
    if (state_.au_percent) {
      const bool known = state_.au_needed_percent.has_value();
      const bool enough = known && *state_.au_percent >= *state_.au_needed_percent;
      row.add(tenths(*state_.au_percent), only_if(known, enough ? Color::kGood : Color::kBad));
    }
    row.add_known(state_.au_needed_percent, [](double need) { return fmt::format("need {:.0f}", need); });
    row.add_known(state_.au_now_percent, [](double now) { return fmt::format("now {:.1f}", now); });
    std::string epochs;
    for (size_t i = state_.epoch_au.size(); i-- > 0;) {
      const std::string more = fmt::format(" {:.1f}", state_.epoch_au[i]);
      if (epochs.size() + more.size() + 16 > row.room()) break;
      epochs.insert(0, more);
    }
    if (!epochs.empty()) row.add(fmt::format("{} before{}", state_.epoch_au.size() == 1 ? "epoch" : "epochs", epochs));
    row.put_into(lines_);
  }

  void add_throughput() {
    if (!state_.bytes_per_s) return;
    Row row(state_.moving, columns_);
    row.add(rate_text(*state_.bytes_per_s) +
            (state_.wanted_bytes_per_s ? fmt::format(" of {} wanted", rate_text(*state_.wanted_bytes_per_s)) : ""));
    row.add_known(state_.mean_bytes_per_s, [](double rate) { return "mean " + rate_text(rate); });
    row.add_known(state_.best_bytes_per_s, [](double rate) { return "best " + rate_text(rate); });
    row.add_known(state_.worst_bytes_per_s, [](double rate) { return "worst " + rate_text(rate); });
    row.put_into(lines_);
  }

  void add_history() {
    if (state_.history.empty()) return;
    const double most = *std::max_element(state_.history.begin(), state_.history.end());
    const double top = std::max(most, state_.wanted_bytes_per_s.value_or(0));
    const std::string scale = fmt::format("  full: {}, 1 s per column", rate_text(top));
    if (top <= 0 || columns_ < kLabel + scale.size() + 1) return;
    const size_t shown = std::min(state_.history.size(), columns_ - kLabel - scale.size());
    std::string text(kLabel, ' ');
    for (size_t i = state_.history.size() - shown; i < state_.history.size(); ++i)
      text += column(state_.history[i] / top);
    lines_.push_back(text + in_color(scale, only_if(true, Color::kFaint)));
  }

  /// Returns the character for a height from 0 to 1. Only nothing is drawn as nothing.
  std::string_view column(double height) const {
    constexpr std::array<std::string_view, 9> kBlocks = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    constexpr std::array<std::string_view, 7> kAscii = {" ", "_", ".", "-", "=", "*", "#"};
    const auto of = [&](const auto& characters) {
      const size_t steps = characters.size() - 1;
      const auto step = static_cast<size_t>(std::lround(std::clamp(height, 0.0, 1.0) * static_cast<double>(steps)));
      return characters[height > 0 ? std::max<size_t>(step, 1) : 0];
    };
    return screen_.utf8 ? of(kBlocks) : of(kAscii);
  }

  void add_items() {
    if (!state_.items) return;
    Row row(state_.item, columns_);
    row.add_known(state_.items_per_s, [](double rate) { return figure(rate) + " /s"; });
    row.add(figure(*state_.items) + " done");
    row.add_known(state_.in_service, [](double number) { return figure(number) + " in service"; });
    row.add_known(state_.waiting, [](double number) { return figure(number) + " waiting"; });
    row.put_into(lines_);
  }

  void add_idle() {
    Row row("idle", columns_);
    row.add_known(state_.idle_storage_share, [](double part) { return "for storage " + share(part); });
    row.add_known(state_.idle_ranks_share, [](double part) { return "for each other " + share(part); });
    row.add_known(state_.idle_client_share, [](double part) { return "for this client " + share(part); });
    row.put_into(lines_);
  }

  void add_latency() {
    Row row("latency", columns_);
    row.add_known(state_.latency_p50_s, [](double time) { return "p50 " + seconds_text(time); });
    row.add_known(state_.latency_p99_s, [](double time) { return "p99 " + seconds_text(time); });
    row.add_known(state_.latency_max_s, [](double time) { return "max " + seconds_text(time); });
    if (state_.commit_p50_s && state_.commit_p99_s) {
      row.add(
          fmt::format("commit p50 {}  p99 {}", seconds_text(*state_.commit_p50_s), seconds_text(*state_.commit_p99_s)));
    }
    if (state_.retries && (state_.latency_p50_s || *state_.retries > 0)) {
      row.add(counted(*state_.retries, "retry", "retries"), only_if(*state_.retries > 0, Color::kBad));
    }
    row.add_known(state_.cached_share, [](double part) { return "cached " + share(part); });
    row.put_into(lines_);
  }

  void add_slowest() {
    if (!state_.slowest_rank || (state_.slowest_waits_share && *state_.slowest_waits_share < kWorthALine)) return;
    Row row("slowest", columns_);
    row.add("rank " + grouped(static_cast<uint64_t>(*state_.slowest_rank)));
    if (state_.slowest_s && state_.slowest_mean_s) {
      row.add(fmt::format("{} for the last one, on average {}", seconds_text(*state_.slowest_s),
                          seconds_text(*state_.slowest_mean_s)));
    }
    if (state_.slowest_waits_share && state_.mean_waits_share) {
      row.add(fmt::format("waits {} of its time, on average {}", share(*state_.slowest_waits_share),
                          share(*state_.mean_waits_share)));
    }
    row.put_into(lines_);
  }

  const State& state_;
  const Screen& screen_;
  const size_t columns_;  // that lines may have
  std::vector<std::string> lines_;
};

}  // namespace

bool has_room(const Screen& screen) {
  return screen.columns >= kLeastColumns && screen.rows >= kLeastRows;
}

std::vector<std::string> full_view(const State& state, const Screen& screen) {
  return View(state, screen).lines();
}

std::string one_line(const State& state, const Screen& screen) {
  return View(state, screen).line();
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<uint64_t>(std::clamp(seconds, 0.0, 1e12));
  const uint64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

}  // namespace mlps::live
