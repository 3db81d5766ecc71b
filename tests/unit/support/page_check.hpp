#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Looks whether a page of this program is what a browser and an XML parser both read in the same way.
namespace mlps::test {

class PageCheck {
 public:
  /// Returns what is wrong with a page; empty: nothing.
  static std::string problem(std::string_view page) { return PageCheck(page).check(); }

 private:
  explicit PageCheck(std::string_view page) : page_(page) {}

  std::string check() {
    constexpr std::string_view kType = "<!DOCTYPE html>\n";
    if (!page_.starts_with(kType)) return "does not begin as HTML";
    at_ = kType.size();
    while (at_ < page_.size()) {
      const std::string wrong = page_[at_] == '<' ? tag() : text();
      if (!wrong.empty()) return wrong + " at " + std::to_string(at_) + ": " + std::string(page_.substr(at_, 80));
    }
    return open_.empty() ? "" : "never ended: " + open_.back();
  }

  std::string text() {
    const size_t end = std::min(page_.find('<', at_), page_.size());
    const std::string_view content = page_.substr(at_, end - at_);
    if (open_.empty() && content.find_first_not_of(" \n") != std::string_view::npos) return "text outside of the page";
    const std::string wrong = characters(content);
    if (wrong.empty()) at_ = end;
    return wrong;
  }

  static std::string characters(std::string_view content) {
    for (size_t i = 0; i < content.size(); ++i) {
      const auto byte = static_cast<unsigned char>(content[i]);
      if ((byte < 0x20 && byte != '\n') || byte == 0x7F) return "control character";
      if (byte != '&') continue;
      const std::string_view rest = content.substr(i);
      bool known = false;
      for (const char* name : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) known = known || rest.starts_with(name);
      if (!known) return "bare &";
    }
    return {};
  }

  // A tag has a name, then attributes with values in double quotes, and none that would load or run something.
  std::string tag() {
    const size_t end = page_.find('>', at_);
    if (end == std::string_view::npos) return "tag without an end";
    std::string_view inside = page_.substr(at_ + 1, end - at_ - 1);
    const bool ends = inside.starts_with('/');
    const bool whole = inside.ends_with('/');
    if (ends) inside.remove_prefix(1);
    if (whole) inside.remove_suffix(1);
    const std::string name(inside.substr(0, inside.find(' ')));
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos) {
      return "name of a tag";
    }
    for (const char* forbidden :
         {"script", "img", "link", "iframe", "object", "embed", "a", "form", "base", "use", "image"}) {
      if (name == forbidden) return "element that loads something";
    }
    if (const std::string wrong = attributes(inside.substr(name.size())); !wrong.empty()) return wrong;
    if (ends) {
      if (open_.empty() || open_.back() != name) return "end of what is not open";
      open_.pop_back();
    } else if (!whole) {
      open_.push_back(name);
    }
    at_ = end + 1;
    return {};
  }

  static std::string attributes(std::string_view text) {
    while (!text.empty()) {
      if (text.front() != ' ') return "blank before an attribute";
      text.remove_prefix(1);
      const size_t equals = text.find("=\"");
      if (equals == std::string_view::npos) return "attribute without a value";
      const std::string_view name = text.substr(0, equals);
      if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzB-0123456789") != std::string_view::npos)
        return "name of an attribute";
      if (name == "src" || name == "href" || name == "style" || name.starts_with("on"))
        return "attribute that loads or runs";
      text.remove_prefix(equals + 2);
      const size_t end = text.find('"');
      if (end == std::string_view::npos) return "value without an end";
      const bool is_place = name == "d" || name == "x" || name == "y" || name == "width" || name == "height" ||
                            name == "cx" || name == "cy" || name == "r";
      if (is_place && text.substr(0, end).find_first_not_of("0123456789.- MLhvz") != std::string_view::npos) {
        return "no number";
      }
      if (const std::string wrong = characters(text.substr(0, end)); !wrong.empty()) return wrong;
      text.remove_prefix(end + 1);
    }
    return {};
  }

  std::string_view page_;
  size_t at_ = 0;
  std::vector<std::string> open_;
};

}  // namespace mlps::test
