#pragma once

#include <map>
#include <string>
#include <vector>

#include "rules/tree.hpp"

namespace mlps::reports {

/// Numbers rows "v3.0-0001". In a tree with a public_ids.json a row keeps its number for ever, and numbers are never
/// used again; without, rows are numbered by their place in the table.
class PublicIds {
 public:
  /// Reads the registry at one of `paths` (the first that is there). E104 where it is malformed: numbers that may have
  /// been published are not given anew.
  static Result<PublicIds> load(const rules::Tree& tree, const std::vector<std::string>& paths);

  /// Returns the id of the row with this benchmark and key.
  std::string assign(const std::string& family, const std::vector<std::string>& key);
  /// Writes the registry back where it was; nothing without one.
  Status save(const rules::Tree& tree) const;
  const std::string& path() const { return path_; }  ///< empty: there is no registry

 private:
  struct Assignment {
    std::string family;
    std::vector<std::string> key;
  };
  std::string path_;
  std::map<uint64_t, Assignment> assigned_;
  std::map<uint64_t, bool> used_;  ///< by a row of this report
  uint64_t next_ = 1;
};

}  // namespace mlps::reports
