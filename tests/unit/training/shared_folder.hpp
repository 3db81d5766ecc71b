#pragma once

#include <atomic>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "small_data_set.hpp"

namespace mlps::training::test {

/// From the `left`-th call on nothing of a host reaches the folder any more, as after a SIGKILL.
struct Killer {
  std::atomic<int64_t> left{std::numeric_limits<int64_t>::max()};
  bool dead() { return --left < 0; }
};

/// A folder in memory that several hosts write. What a host has committed is in its own cache until it flushes, and the
/// folder knows: it counts what is written without a journal, and what is vouched for before it is durable.
class SharedFolder {
 public:
  explicit SharedFolder(const Small& small, bool holds_objects = true) : small_(small), holds_objects_(holds_objects) {}

  /// What becomes of the files of a run that is over: of its processes, with begun files visible or not (what stays is
  /// durable then: a host shows others nothing that only its cache holds); or of its hosts, with all that was not
  /// flushed.
  enum class Remains { kVisible, kInvisible, kDurable };
  void bury(Remains remains) {
    std::erase_if(store.blobs, [&](const auto& entry) {
      const bool is_text = entry.first == kJournalName || entry.first == kManifestName;
      if (remains == Remains::kDurable) return !is_text && !durable.contains(entry.first);
      return remains == Remains::kInvisible && !entry.second.complete;
    });
    for (auto& [name, blob] : store.blobs) {
      blob.complete = true;
      durable.insert(name);
    }
  }

  uint64_t journaled() {
    if (!store.blobs.contains(kJournalName)) return 0;
    return parse_journal(text_of(store, kJournalName))->whole_files;
  }

  MemoryStore store;
  std::mutex mutex;  ///< of what follows
  std::map<std::string, int> begun, committed;
  std::set<std::string> durable;
  std::vector<uint64_t> journals;
  int false_claims = 0;  ///< files vouched for that a crash of their host would lose
  int orphans = 0;       ///< files begun in a folder without a journal

 private:
  friend class HostStore;
  friend class HostSession;

  void note_begin(const std::string& name) {
    const std::lock_guard lock(mutex);
    ++begun[name];
    const std::lock_guard store_lock(store.mutex);
    if (holds_objects_ && !store.blobs.contains(kJournalName)) ++orphans;
  }
  void note_put(std::string_view name, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex);
    uint64_t vouched = small_.files();
    if (name == kJournalName) {
      const auto journal = parse_journal({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      ASSERT_TRUE(journal);
      vouched = journal->whole_files;
      journals.push_back(vouched);
    }
    for (uint64_t i = 0; i < vouched; ++i) false_claims += durable.contains(small_.name(i)) ? 0 : 1;
  }

  const Small& small_;
  const bool holds_objects_;
};

/// One host's way to the folder.
class HostStore : public storage::Store {
 public:
  HostStore(SharedFolder& folder, Killer& killer, MemoryStore::Hook hook = {})
      : folder_(folder), killer_(killer), hook_(std::move(hook)) {}

  const Location& root() const override { return folder_.store.root(); }
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits = folder_.store.traits();
    traits.holds_objects = folder_.holds_objects_;
    return traits;
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned depth) override;
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    return folder_.store.object(std::move(spec));
  }
  std::vector<std::pair<std::string, std::string>> describe() const override { return folder_.store.describe(); }
  Status flush() override {
    if (Status alive = look(); !alive) return alive;
    const std::lock_guard lock(folder_.mutex);
    folder_.durable.insert(cached_.begin(), cached_.end());
    cached_.clear();
    return {};
  }
  int calls() const { return calls_; }  ///< to the folder

 private:
  friend class HostSession;

  Status look() {
    ++calls_;
    if (killer_.dead()) return fail(ErrorCode::kStorageUnreachable, "killed");
    return {};
  }
  void note_commit(const std::string& name) {
    const std::lock_guard lock(folder_.mutex);
    ++folder_.committed[name];
    cached_.insert(name);
  }

  SharedFolder& folder_;
  Killer& killer_;
  const MemoryStore::Hook hook_;
  std::set<std::string> cached_;  // guarded by the folder's mutex
  std::atomic<int> calls_{0};
};

class HostSession final : public storage::Session {
 public:
  HostSession(HostStore& host, std::unique_ptr<storage::Session> inner) : host_(host), inner_(std::move(inner)) {}

  void submit(storage::Operation& operation) override {
    if (Status alive = host_.look(); !alive) operation.error = alive.error();
    if (!operation.error && host_.hook_) host_.hook_(operation);
    const std::string name = operation.object->name();
    if (!operation.error && operation.kind == storage::OpKind::kBeginWrite) host_.folder_.note_begin(name);
    const bool commits = operation.kind == storage::OpKind::kCommitWrite;
    inner_->submit(operation);
    if (commits && !operation.error) host_.note_commit(name);
  }
  void poll(std::chrono::nanoseconds timeout, std::vector<storage::Operation*>& done) override {
    inner_->poll(timeout, done);
  }
  void cancel() override { inner_->cancel(); }
  Result<storage::ObjectInfo> head(std::string_view name) override {
    if (Status alive = host_.look(); !alive) return fail(alive.error());
    return inner_->head(name);
  }
  Result<storage::ListPage> list(std::string_view prefix, const std::string& continuation) override {
    return inner_->list(prefix, continuation);
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override {
    if (Status alive = host_.look(); !alive) return alive;
    host_.folder_.note_put(name, bytes);
    return inner_->put(name, bytes);
  }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    return inner_->get(name, offset, length);
  }
  Status remove(std::string_view name) override {
    if (Status alive = host_.look(); !alive) return alive;
    return inner_->remove(name);
  }

 private:
  HostStore& host_;
  const std::unique_ptr<storage::Session> inner_;
};

inline Result<std::unique_ptr<storage::Session>> HostStore::open_session(unsigned depth) {
  auto inner = folder_.store.open_session(depth);
  if (!inner) return fail(inner.error());
  return std::unique_ptr<storage::Session>(std::make_unique<HostSession>(*this, std::move(*inner)));
}

}  // namespace mlps::training::test
