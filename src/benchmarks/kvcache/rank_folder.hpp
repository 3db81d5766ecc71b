#pragma once

#include <cstdint>
#include <functional>
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

/// What a run that did not come to its end has left, as far as it was removed.
struct Leftover {
  uint64_t entries = 0, bytes = 0;
};

/// Makes the folder of one rank ready for its entries, and clean afterwards. Lists and removes in memory that doesn't
/// depend on the number of files. One thread.
class RankFolder {
 public:
  /// `root`: the path of the cache folder if it is one of a file system, else empty. The session outlives the object.
  RankFolder(storage::Session& session, std::string root, uint32_t rank, std::string suffix)
      : session_(session),
        root_(std::move(root)),
        suffix_(std::move(suffix)),
        whole_(rank_folder(rank)),
        own_(whole_) {}

  /// Asked before each removal; true: no more are wanted.
  using Stop = std::function<bool()>;

  /// Puts the marker, and removes the entries of an earlier run; where `stop` ends that, this run has a folder of its
  /// own beside them. Fails with E404, which has the number and the bytes, if there are files and no marker: then they
  /// are not ours.
  Result<Leftover> prepare(const Stop& stop);
  /// Returns what stands before the names of this run's entries: "rank_3/", or "rank_3/run_1/".
  const std::string& own() const { return own_; }
  /// Returns whether entries of an earlier run lie beside those of this one.
  bool is_crowded() const { return own_ != whole_; }
  /// Removes every entry of this run, whole or not.
  Status remove_own() const;
  /// Removes all entries, and the marker; of those of an earlier run only some, if `stop` ends it: then the marker
  /// stays, too. Returns what was removed of them.
  Result<Leftover> clear(const Stop& stop) const;

 private:
  Result<bool> visit(const std::string& folder,
                     const std::function<Result<bool>(const storage::ObjectInfo&)>& act) const;
  Result<bool> remove_entries(const std::string& folder, const Stop& stop, Leftover& removed) const;
  Status claim() const;

  storage::Session& session_;
  const std::string root_, suffix_, whole_;
  std::string own_;
};

}  // namespace mlps::kvcache
