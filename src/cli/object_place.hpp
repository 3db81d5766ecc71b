#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "storage/op_log.hpp"
#include "storage/open.hpp"
#include "storage/store.hpp"

/// What the `object` commands share: a location as they mean it, the pages of what is there, and how far they are.
namespace mlps::cli {

/// A store, and a name in it.
struct Place {
  std::unique_ptr<storage::Store> store;
  std::string name;     ///< of one object, or of what stands as a folder; empty: the whole store
  bool folder = false;  ///< said to be one: it ends in '/', or is a bucket or a folder of files

  std::unique_ptr<storage::Session> session;  ///< of the calling thread

  std::string shown(std::string_view object) const { return store->root().join(object).to_string(); }
  /// Returns the prefix of everything below it.
  std::string prefix() const { return name.empty() ? name : name + "/"; }
};

/// Opens what a location typed by the user names. A server that can't be reached is E601 within seconds, whatever
/// patience later requests have.
Result<Place> open_place(const std::string& text, const Environment& environment,
                         const storage::StoreOptions& options = {});

/// Calls `work` with the operation log of the new file `path`, which it closes afterwards; with null if `path` is
/// empty. All stores that keep it must be gone when `work` returns. `client` names this process in the log's lines.
Status with_op_log(const std::string& path, std::string client,
                   const std::function<Status(std::shared_ptr<storage::OpLog>)>& work);

/// Says on stderr, now and then, how far a command is. Any thread may call it.
class Progress {
 public:
  explicit Progress(std::string_view did) : did_(did) {}

  void add(uint64_t bytes);
  uint64_t objects() const { return objects_.load(); }
  uint64_t bytes() const { return bytes_.load(); }

 private:
  const std::string_view did_;
  std::atomic<uint64_t> objects_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<Nanos> told_ns_ = now_ns();
};

using Page = std::vector<storage::ObjectInfo>;
using TakePage = std::function<Status(const Page&)>;

/// Calls `take` with the object that the place names, and with every page of what is below it as below a folder. E603
/// if nothing is, and the place is no empty folder or bucket.
Status for_each_page(const Place& place, const TakePage& take);

}  // namespace mlps::cli
