#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/store.hpp"

/// The folder of one rank in the cache folder: "rank_3/". A marker in it says that a run of this program made it; only
/// then are entries removed that an earlier run has left, and never anything that isn't named as an entry is.
namespace mlps::kvcache {

inline constexpr std::string_view kMarker = "mlpstorage-kvcache.txt";

/// Returns "rank_3/".
std::string rank_folder(uint32_t rank);

/// Returns whether a name, without the folder, is that of an entry (EntryName::text()) or of a block, with `suffix`.
bool is_entry_name(std::string_view name, std::string_view suffix);

/// What a run that did not come to its end has left.
struct Leftover {
  uint64_t entries = 0, bytes = 0;
};

/// Makes the folder of a rank ready for a run: puts the marker, and removes the entries of an earlier run. Fails with
/// E404, which has the number and the bytes, if there are files and no marker: then they are not ours.
Result<Leftover> prepare_rank_folder(storage::Session& session, uint32_t rank, std::string_view suffix);

/// Removes every entry of a rank, whole or not.
Result<Leftover> remove_entries(storage::Session& session, uint32_t rank, std::string_view suffix);

/// Removes the entries and the marker.
Status clear_rank_folder(storage::Session& session, uint32_t rank, std::string_view suffix);

}  // namespace mlps::kvcache
