#include "benchmarks/kvcache/rank_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <span>
#include <system_error>

#include "base/numbers.hpp"
#include "base/units.hpp"

namespace mlps::kvcache {
namespace {

constexpr std::string_view kMarkerText =
    "mlpstorage kvcache keeps entries in this folder, and removes what is named as they are.\n";

constexpr std::string_view kRunFolder = "run_";

/// Takes what the names of entries are made of off the front of a text.
class NameParser {
 public:
  explicit NameParser(std::string_view rest) : rest_(rest) {}
  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool digits() { return some_of("0123456789"); }
  bool hexadecimal() { return some_of("0123456789abcdef"); }
  bool ends(std::string_view suffix) const { return rest_ == suffix; }
  std::string_view rest() const { return rest_; }

 private:
  bool some_of(std::string_view characters) {
    const size_t end = std::min(rest_.find_first_not_of(characters), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }

  std::string_view rest_;
};

namespace fs = std::filesystem;

/// What is done with a file or object; false: no more are wanted.
using Visit = std::function<Result<bool>(const storage::ObjectInfo&)>;

/// Visits the files of a folder and of those below it, in no order, in memory that doesn't depend on their number.
/// Returns whether all were visited.
Result<bool> visit_files(const std::string& root, const std::string& folder, const Visit& visit) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(root + "/" + folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;  // it may be removed meanwhile
    if (!at->is_regular_file(gone)) continue;
    const uint64_t bytes = at->file_size(gone);
    if (gone) continue;
    const auto more = visit({at->path().native().substr(root.size() + 1), bytes});
    if (!more || !*more) return more;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(errno_error(error.value(), fmt::format("list folder {}/{}", root, folder)));
  }
  return true;
}

/// The same of objects, a page at a time.
Result<bool> visit_objects(storage::Session& session, const std::string& folder, const Visit& visit) {
  std::string continuation;
  do {
    const auto page = session.list(folder, continuation);
    if (!page) return fail(page.error());
    for (const storage::ObjectInfo& info : page->objects) {
      if (!info.name.starts_with(folder)) continue;
      const auto more = visit(info);
      if (!more || !*more) return more;
    }
    continuation = page->next;
  } while (!continuation.empty());
  return true;
}

}  // namespace

std::string rank_folder(uint32_t rank) {
  return fmt::format("rank_{}/", rank);
}

bool is_entry_name(std::string_view name, std::string_view suffix) {
  NameParser parser(name);
  const auto again = [&] { return !parser.word("_again_") || parser.digits(); };
  if (parser.word("prepop_") || parser.word("precond_")) return parser.digits() && again() && parser.ends(suffix);
  if (parser.word("rag_doc_")) {
    const bool known = parser.digits() && (!parser.word("_chunk_") || parser.digits());
    return known && again() && parser.ends(suffix);
  }
  if (parser.word("slab_")) return parser.digits() && parser.ends(suffix);
  if (parser.word("block_")) return parser.hexadecimal() && parser.word("_") && parser.digits() && parser.ends(suffix);
  const bool turn = parser.word("conv_");
  const bool head = parser.word("user_") && parser.digits() && parser.word(turn ? "_" : "_req_") && parser.digits();
  if (!head || (turn && !(parser.word("_turn_") && parser.digits()))) return false;
  return again() && parser.ends(suffix);
}

Result<bool> RankFolder::visit(const std::string& folder, const Visit& act) const {
  return root_.empty() ? visit_objects(session_, folder, act) : visit_files(root_, folder, act);
}

Result<bool> RankFolder::remove_entries(const std::string& folder, const Stop& stop, Leftover& removed) const {
  // A listing may pass over files while others are removed: it is repeated until it finds none.
  for (uint64_t before = UINT64_MAX; before != removed.entries;) {
    before = removed.entries;
    const auto done = visit(folder, [&](const storage::ObjectInfo& info) -> Result<bool> {
      NameParser rest(std::string_view(info.name).substr(folder.size()));
      if (rest.word(kRunFolder) && !(rest.digits() && rest.word("/"))) return true;
      if (!is_entry_name(rest.rest(), suffix_)) return true;
      if (stop()) return false;
      if (Status gone = session_.remove(info.name); !gone) return fail(gone.error());
      ++removed.entries;
      removed.bytes += info.size_bytes;
      return true;
    });
    if (!done || !*done) return done;
  }
  return true;
}

Status RankFolder::claim() const {
  Leftover foreign;
  const auto looked = visit(whole_, [&](const storage::ObjectInfo& info) -> Result<bool> {
    ++foreign.entries;
    foreign.bytes += info.size_bytes;
    return true;
  });
  if (!looked) return fail(looked.error());
  if (foreign.entries > 0) {
    return fail(ErrorCode::kInvalidStructure,
                fmt::format("{} has {} of {}, and no marker of this program", whole_,
                            counted(static_cast<double>(foreign.entries), "file"), human_bytes(foreign.bytes)),
                "they would take room that is counted as free", "give an empty --cache-dir, or remove them yourself");
  }
  return session_.put(whole_ + std::string(kMarker), std::as_bytes(std::span(kMarkerText)));
}

Result<Leftover> RankFolder::prepare(const Stop& stop) {
  const auto marked = session_.head(whole_ + std::string(kMarker));
  if (!marked) {
    if (marked.error().code != ErrorCode::kStorageNotFound) return fail(marked.error());
    if (Status claimed = claim(); !claimed) return fail(claimed.error());
    return Leftover();
  }
  Leftover removed;
  const auto all = remove_entries(whole_, stop, removed);
  if (!all) return fail(all.error());
  bool is_free = *all;
  for (uint32_t number = 1; !is_free; ++number) {
    own_ = fmt::format("{}{}{}/", whole_, kRunFolder, number);
    const auto nothing = visit(own_, [](const storage::ObjectInfo&) -> Result<bool> { return false; });
    if (!nothing) return fail(nothing.error());
    is_free = *nothing;
  }
  std::error_code error;
  if (!root_.empty()) fs::create_directory(root_ + "/" + own_, error);
  if (error) return fail(errno_error(error.value(), fmt::format("make folder {}/{}", root_, own_)));
  return removed;
}

Status RankFolder::remove_own() const {
  Leftover removed;
  const auto done = remove_entries(
      own_, [] { return false; }, removed);
  return done ? Status() : Status(fail(done.error()));
}

Result<Leftover> RankFolder::clear(const Stop& stop) const {
  if (Status removed = remove_own(); !removed) return fail(removed.error());
  Leftover left;
  if (is_crowded()) {
    const auto all = remove_entries(whole_, stop, left);
    if (!all) return fail(all.error());
    // Without the marker nobody would remove what stays.
    if (!*all) return left;
  }
  std::error_code not_empty;  // something else is in it
  uint32_t number = 1;
  while (!root_.empty() && fs::remove(fmt::format("{}/{}{}{}", root_, whole_, kRunFolder, number), not_empty)) {
    ++number;
  }
  if (Status removed = session_.remove(whole_ + std::string(kMarker)); !removed) return fail(removed.error());
  return left;
}

}  // namespace mlps::kvcache
