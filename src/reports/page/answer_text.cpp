#include <algorithm>
#include <array>
#include <numeric>

#include "base/text.hpp"
#include "reports/page/markup.hpp"
#include "reports/page/page.hpp"

/// The answer of a run as a few lines of text.
namespace mlps::reports::page {
namespace {

constexpr size_t kLabelWidth = 14;  // with two blanks before the label
constexpr std::string_view kCut = "...";

using Lines = std::vector<std::string>;

// Counts characters, not bytes.
size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Breaks a text at blanks into lines of `width` columns. A word that is longer has a line of its own.
Lines wrapped(std::string_view text, size_t width) {
  Lines lines;
  for (const std::string& word : split(text, " ")) {
    if (lines.empty() || columns(lines.back()) + 1 + columns(word) > width) {
      lines.push_back(word);
    } else {
      lines.back() += ' ' + word;
    }
  }
  return lines;
}

/// Cuts lines down to `most`, and long words in them, with "..." for what is missing.
Lines cut(Lines lines, size_t width, size_t most) {
  bool is_cut = lines.size() > most;
  lines.resize(std::min(lines.size(), most));
  for (std::string& line : lines) {
    const bool is_long = columns(line) > width || (is_cut && &line == &lines.back());
    while (is_long && columns(line) > width - kCut.size()) line.pop_back();
    if (is_long) line += kCut;
  }
  return lines;
}

/// Returns as many of the phrases, the first ones first, as `most` lines hold. The first one is cut if it must be.
Lines lines_of(const std::vector<std::string>& phrases, size_t width, size_t most) {
  std::string text;
  for (const std::string& phrase : phrases) {
    const std::string longer = text.empty() ? harmless(phrase) : text + "; " + harmless(phrase);
    if (text.empty() || wrapped(longer, width).size() <= most) text = longer;
  }
  return cut(wrapped(text, width), width, most);
}

/// One line of the answer on its way into text.
struct Block {
  const AnswerLine* line = nullptr;
  size_t most = 1;
  Lines lines;

  void lay_out() { lines = lines_of(line->phrases, kAnswerWidth - kLabelWidth, most); }
};

Lines headline(const RunView& run) {
  const std::string answer = harmless(run.answer);
  const std::string aside = run.aside.empty() ? "" : "(" + harmless(run.aside) + ")";
  const size_t width = columns(answer) + columns(aside);
  if (width + 2 <= kAnswerWidth && !aside.empty()) return {answer + std::string(kAnswerWidth - width, ' ') + aside};
  Lines lines = cut(wrapped(answer, kAnswerWidth), kAnswerWidth, 2);
  if (aside.empty() || lines.size() > 1) return lines;
  lines.push_back("  " + cut({aside}, kAnswerWidth - 2, 1).front());
  return lines;
}

/// Returns the folder of the run, which is to be copied: whole, if need be without its label.
Lines folder_lines(const RunView& run) {
  const std::string label = "  results     ";
  const std::string folder = harmless(run.folder, 4096);
  if (columns(label) + columns(folder) <= kAnswerWidth) return {label + folder};
  return {(columns(folder) + 2 <= kAnswerWidth ? "  " : "") + folder};
}

size_t count_lines(const std::vector<Block>& blocks) {
  return std::accumulate(blocks.begin(), blocks.end(), size_t{0},
                         [](size_t sum, const Block& block) { return sum + block.lines.size(); });
}

/// Makes the blocks take `most` lines together: first what says least gets one line, then lines go from the end.
void shrink(std::vector<Block>& blocks, size_t most) {
  for (const std::string_view label : {"warnings", "next", "limited by", "sure", "MLPerf"}) {
    for (Block& block : blocks) {
      if (count_lines(blocks) <= most) return;
      if (block.line->label != label || block.lines.size() < 2) continue;
      block.most = 1;
      block.lay_out();
    }
  }
  while (count_lines(blocks) > most && !blocks.empty()) blocks.pop_back();
}

}  // namespace

std::string answer_text(const RunView& run) {
  Lines lines = headline(run);
  const Lines folder = run.folder.empty() ? Lines() : folder_lines(run);
  std::vector<Block> blocks;
  for (const AnswerLine& line : run.lines) {
    blocks.push_back({&line, line.most_lines, {}});
    blocks.back().lay_out();
  }
  shrink(blocks, kMostAnswerLines - lines.size() - folder.size());
  for (const Block& block : blocks) {
    std::string label = "  " + block.line->label;
    for (const std::string& line : block.lines) {
      label.resize(std::max(kLabelWidth, label.size() + 1), ' ');
      lines.push_back(label + line);
      label.clear();
    }
  }
  lines.insert(lines.end(), folder.begin(), folder.end());
  return join(lines, "\n") + "\n";
}

}  // namespace mlps::reports::page
