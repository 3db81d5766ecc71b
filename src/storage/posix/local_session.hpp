#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "storage/posix/local_object.hpp"
#include "storage/posix/transfer.hpp"
#include "storage/posix/tree.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// A session on local files, whatever moves their bytes: that, and the sync of a commit, is left to the derived class.
class LocalSession : public Session {
 public:
  explicit LocalSession(Tree tree) : tree_(std::move(tree)) {}

  void submit(Operation& operation) final;
  void cancel() final { cancelled_.store(true, std::memory_order_relaxed); }

  Result<ObjectInfo> head(std::string_view name) final { return tree_.head(name); }
  Result<ListPage> list(std::string_view prefix, const std::string& continuation) final {
    return tree_.list(prefix, continuation);
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) final { return tree_.put(name, bytes); }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) final {
    return tree_.get(name, offset, length);
  }
  Status remove(std::string_view name) final { return tree_.remove(name); }

 protected:
  /// Begins to move the bytes of a part, at least one, from or to a buffer that was checked; of a write whole
  /// blocks.
  virtual void start_move(Operation& operation, Transfer transfer) = 0;
  /// Begins to sync a file whose commit is prepared, to finish the commit, and to sync the file's folder.
  virtual void start_sync(Operation& operation) = 0;

  static LocalObject& object_of(const Operation& operation) { return static_cast<LocalObject&>(*operation.object); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Does what is left of a part whose bytes were moved, and completes it.
  void complete_move(Operation& operation);
  void complete(Operation& operation, Status status);
  bool has_ready() const { return !ready_.empty(); }
  void take_ready(std::vector<Operation*>& done);

 private:
  void move(Operation& operation, LocalObject& object);
  void commit(Operation& operation, LocalObject& object);
  void complete_begin(Operation& operation, Status status);

  Tree tree_;
  std::vector<Operation*> ready_;
  std::atomic<bool> cancelled_ = false;
};

/// Returns a session whose submit() does the I/O itself, with pwrite and pread; its depth is 1.
std::unique_ptr<Session> make_blocking_session(const Tree& tree);

/// Returns a session on an io_uring of its own, with up to `depth` operations in flight. E608 if the kernel has no ring
/// left.
Result<std::unique_ptr<Session>> make_ring_session(const Tree& tree, unsigned depth);

}  // namespace mlps::storage::posix
