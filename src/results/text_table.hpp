#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlps::results {

inline constexpr size_t kTextWidth = 100;

/// Collects lines "  label      value" with the values in one column. A value past the right margin continues, at
/// spaces, on the next line; a single long word (a path) is never cut.
class LabelledLines {
 public:
  explicit LabelledLines(size_t label_width) : label_width_(label_width) {}
  void add(std::string_view label, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  size_t label_width_;
  std::string text_;
};

/// Returns rows of cells, each column as wide as its widest cell, two spaces apart. The first column is left-aligned,
/// the others right-aligned.
std::string aligned_rows(const std::vector<std::vector<std::string>>& rows, size_t indent);

}  // namespace mlps::results
