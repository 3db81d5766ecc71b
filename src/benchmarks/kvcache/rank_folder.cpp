#include "benchmarks/kvcache/rank_folder.hpp"

#include <fmt/format.h>

#include <functional>
#include <span>

#include "base/numbers.hpp"
#include "base/units.hpp"

namespace mlps::kvcache {
namespace {

constexpr std::string_view kMarkerText =
    "mlpstorage kvcache keeps entries in this folder, and removes what is named as they are.\n";

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
  bool ends(std::string_view suffix) { return rest_ == suffix; }

 private:
  bool some_of(std::string_view characters) {
    const size_t end = std::min(rest_.find_first_not_of(characters), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }

  std::string_view rest_;
};

Status for_each_object(storage::Session& session, const std::string& prefix,
                       const std::function<Status(const storage::ObjectInfo&)>& visit) {
  std::string continuation;
  do {
    const auto page = session.list(prefix, continuation);
    if (!page) return fail(page.error());
    for (const storage::ObjectInfo& info : page->objects) {
      if (!info.name.starts_with(prefix)) continue;
      if (Status visited = visit(info); !visited) return visited;
    }
    continuation = page->next;
  } while (!continuation.empty());
  return {};
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

Result<Leftover> prepare_rank_folder(storage::Session& session, uint32_t rank, std::string_view suffix) {
  const std::string folder = rank_folder(rank);
  const std::string marker = folder + std::string(kMarker);
  const auto marked = session.head(marker);
  if (marked) return remove_entries(session, rank, suffix);
  if (marked.error().code != ErrorCode::kStorageNotFound) return fail(marked.error());
  Leftover foreign;
  const Status looked = for_each_object(session, folder, [&](const storage::ObjectInfo& info) -> Status {
    ++foreign.entries;
    foreign.bytes += info.size_bytes;
    return {};
  });
  if (!looked) return fail(looked.error());
  if (foreign.entries > 0) {
    return fail(ErrorCode::kInvalidStructure,
                fmt::format("{} has {} of {}, and no marker of this program", folder,
                            counted(static_cast<double>(foreign.entries), "file"), human_bytes(foreign.bytes)),
                "they would take room that is counted as free", "give an empty --cache-dir, or remove them yourself");
  }
  if (Status put = session.put(marker, std::as_bytes(std::span(kMarkerText))); !put) return fail(put.error());
  return Leftover();
}

Result<Leftover> remove_entries(storage::Session& session, uint32_t rank, std::string_view suffix) {
  const std::string folder = rank_folder(rank);
  Leftover removed;
  const Status done = for_each_object(session, folder, [&](const storage::ObjectInfo& info) -> Status {
    if (!is_entry_name(std::string_view(info.name).substr(folder.size()), suffix)) return {};
    ++removed.entries;
    removed.bytes += info.size_bytes;
    return session.remove(info.name);
  });
  if (!done) return fail(done.error());
  return removed;
}

Status clear_rank_folder(storage::Session& session, uint32_t rank, std::string_view suffix) {
  const auto removed = remove_entries(session, rank, suffix);
  if (!removed) return fail(removed.error());
  return session.remove(rank_folder(rank) + std::string(kMarker));
}

}  // namespace mlps::kvcache
