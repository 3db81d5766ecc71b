#pragma once

#include <string>

#include "storage/posix/local_object.hpp"
#include "storage/posix/tree.hpp"
#include "storage/store.hpp"

namespace mlps::storage::posix {

/// What buffered and direct stores have in common: the root, the objects, the page cache and the free space.
class LocalStore : public Store {
 public:
  LocalStore(const Location& root, IoMode mode);

  const Location& root() const override { return root_; }
  std::unique_ptr<Object> object(ObjectSpec spec) override;
  Status flush() override;
  Result<std::optional<Capacity>> capacity() const override;
  Status evict(std::string_view name) override { return tree_.evict(name); }
  Result<std::optional<Residency>> residency(std::string_view name) override { return tree_.residency(name); }

 protected:
  const Tree& tree() const { return tree_; }
  const IoMode& mode() const { return mode_; }

 private:
  Location root_;
  Tree tree_;
  IoMode mode_;
};

/// What a commit does, in words.
std::string_view commit_text(const IoMode& mode);

/// The control plane of a session on local files; the data plane is left to the derived class.
class LocalSession : public Session {
 public:
  explicit LocalSession(Tree tree) : tree_(std::move(tree)) {}

  Result<ObjectInfo> head(std::string_view name) override { return tree_.head(name); }
  Result<ListPage> list(std::string_view prefix, const std::string& continuation) override {
    return tree_.list(prefix, continuation);
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override { return tree_.put(name, bytes); }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    return tree_.get(name, offset, length);
  }
  Status remove(std::string_view name) override { return tree_.remove(name); }

 private:
  Tree tree_;
};

/// A session whose submit() does the I/O itself, with pwrite and pread; depth 1.
std::unique_ptr<Session> make_blocking_session(const Tree& tree);

/// A session on an io_uring of its own, with up to `depth` operations in flight. E608 if the kernel has no ring left.
Result<std::unique_ptr<Session>> make_ring_session(const Tree& tree, unsigned depth);

}  // namespace mlps::storage::posix
