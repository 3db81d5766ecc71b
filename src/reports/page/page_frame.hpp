#pragma once

#include <string>
#include <string_view>

#include "reports/page/run_view.hpp"

/// What every page is put together from.
namespace mlps::reports::page {

/// A page that takes pieces as long as there is room for them (kMostPageBytes).
class Page {
 public:
  /// Begins a page with its style sheet; `title` is the window's.
  explicit Page(std::string_view title);
  bool has_room(size_t bytes) const;
  /// Adds a piece that is whole in itself, or says that it has no room.
  void add(std::string_view name, const std::string& piece);
  /// Adds the beginning or the end of an element, which must be there.
  void mark(std::string_view tag) { text_ += tag; }
  /// Returns the whole page, with a footer that says what it was made from.
  std::string finish(std::string_view made_from) const;

 private:
  std::string text_;
};

/// Returns a table of texts with its heading; long ones are cut.
std::string table_of(const Table& table);

}  // namespace mlps::reports::page
