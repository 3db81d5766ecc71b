#include "benchmarks/kvcache/slab_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>

#include "base/descriptor.hpp"
#include "benchmarks/kvcache/blocking_session.hpp"

namespace mlps::kvcache {
namespace {

using storage::Operation;
using storage::OpKind;

constexpr int kSlabMode = 0644;

struct Slab {
  std::string name;
  Descriptor file;
  std::vector<uint32_t> free;  // slots, the next one last
};

/// A slot that a block has, or is getting.
struct Slot {
  std::shared_ptr<Slab> slab;
  uint32_t number = 0;
};

/// The slabs of a store, and which block is where. Any thread.
class Slabs {
 public:
  Slabs(std::string root, uint64_t slot_bytes, bool direct)
      : root_(std::move(root)),
        slot_bytes_(slot_bytes),
        slots_(static_cast<uint32_t>(std::max(kSlabBytes / slot_bytes, kFewestSlots))),
        direct_(direct) {}

  uint64_t slot_bytes() const { return slot_bytes_; }
  uint32_t slots() const { return slots_; }

  /// Takes a free slot in the folder of a block, if need be in a new slab.
  Result<Slot> take(const std::string& block) {
    const std::string folder = block.substr(0, block.rfind('/') + 1);
    const std::lock_guard lock(mutex_);
    auto& slabs = folders_[folder];
    for (const auto& slab : slabs) {
      if (!slab->free.empty()) return slot_of(slab);
    }
    auto slab = begin_slab(fmt::format("{}slab_{:04}.kv", folder, next_number_++));
    if (!slab) return fail(slab.error());
    slabs.push_back(std::move(*slab));
    return slot_of(slabs.back());
  }
  void give_back(const Slot& slot) {
    const std::lock_guard lock(mutex_);
    slot.slab->free.push_back(slot.number);
  }
  /// The block is stored now.
  void put(const std::string& block, Slot slot) {
    const std::lock_guard lock(mutex_);
    blocks_[block] = std::move(slot);
  }
  Slot find(const std::string& block) const {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(block);
    return found == blocks_.end() ? Slot() : found->second;
  }
  /// Forgets a block, or a slab with all its blocks. Returns whether it was a block.
  bool remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (const auto block = blocks_.extract(name)) {
      block.mapped().slab->free.push_back(block.mapped().number);
      return true;
    }
    const auto is_it = [&](const auto& slab) { return slab->name == name; };
    std::erase_if(blocks_, [&](const auto& block) { return is_it(block.second.slab); });
    for (auto& [folder, slabs] : folders_) std::erase_if(slabs, is_it);
    return false;
  }

 private:
  static Slot slot_of(const std::shared_ptr<Slab>& slab) {
    const uint32_t number = slab->free.back();
    slab->free.pop_back();
    return {slab, number};
  }

  Result<std::shared_ptr<Slab>> begin_slab(std::string name) const {
    const std::string path = root_ + "/" + name;
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (direct_ ? O_DIRECT : 0);
    auto slab = std::make_shared<Slab>();
    slab->file = Descriptor(::open(path.c_str(), flags, kSlabMode));
    if (!slab->file.is_open()) return fail(errno_error(errno, fmt::format("create {}", path)));
    const auto bytes = static_cast<off_t>(slot_bytes_ * slots_);
    int failed = ::fallocate(slab->file.get(), 0, 0, bytes) == 0 ? 0 : errno;
    if (failed == EOPNOTSUPP) failed = ::ftruncate(slab->file.get(), bytes) == 0 ? 0 : errno;
    if (failed != 0) return fail(errno_error(failed, fmt::format("reserve {} bytes for {}", bytes, path)));
    slab->name = std::move(name);
    for (uint32_t slot = slots_; slot-- > 0;) slab->free.push_back(slot);
    return slab;
  }

  const std::string root_;
  const uint64_t slot_bytes_;
  const uint32_t slots_;
  const bool direct_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::shared_ptr<Slab>>> folders_;
  std::map<std::string, Slot> blocks_;
  uint32_t next_number_ = 0;
};

class BlockObject final : public storage::Object {
 public:
  using Object::Object;
  Slot slot;
};

class SlabSession final : public BlockingSession {
 public:
  SlabSession(Slabs& slabs, size_t alignment, std::unique_ptr<storage::Session> inner)
      : slabs_(slabs), alignment_(alignment), inner_(std::move(inner)) {}

  void cancel() override {
    BlockingSession::cancel();
    inner_->cancel();
  }

  Result<storage::ObjectInfo> head(std::string_view name) override { return inner_->head(name); }
  Result<storage::ListPage> list(std::string_view prefix, const std::string& continuation) override {
    return inner_->list(prefix, continuation);
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override { return inner_->put(name, bytes); }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    return inner_->get(name, offset, length);
  }
  Status remove(std::string_view name) override {
    return slabs_.remove(std::string(name)) ? Status() : inner_->remove(name);
  }

 private:
  Status act(Operation& operation) override {
    auto& block = static_cast<BlockObject&>(*operation.object);
    switch (operation.kind) {
      case OpKind::kBeginWrite: {
        auto slot = slabs_.take(block.name());
        if (!slot) return fail(slot.error());
        block.slot = std::move(*slot);
        return {};
      }
      case OpKind::kCommitWrite:
        slabs_.put(block.name(), std::exchange(block.slot, {}));
        return {};
      case OpKind::kAbortWrite:
        if (block.slot.slab != nullptr) slabs_.give_back(std::exchange(block.slot, {}));
        return {};
      case OpKind::kBeginRead:
        block.slot = slabs_.find(block.name());
        if (block.slot.slab != nullptr) return {};
        return fail(ErrorCode::kStorageNotFound, fmt::format("no slab has {}", block.name()));
      case OpKind::kEndRead:
        block.slot = {};
        return {};
      case OpKind::kWritePart:
      case OpKind::kReadPart:
      case OpKind::kReadRange:
        return move(operation, block);
    }
    return {};
  }

  /// Moves a part between its buffer and its slot, up to the alignment, for which both have room.
  Status move(Operation& operation, const BlockObject& block) const {
    const uint64_t place = block.slot.number * slabs_.slot_bytes() + operation.offset();
    const uint64_t length = (operation.length() + alignment_ - 1) / alignment_ * alignment_;
    for (uint64_t done = 0; done < length;) {
      std::byte* const data = operation.buffer.data() + done;
      const auto at = static_cast<off_t>(place + done);
      const int file = block.slot.slab->file.get();
      const ssize_t moved =
          operation.writes_body() ? ::pwrite(file, data, length - done, at) : ::pread(file, data, length - done, at);
      if (moved < 0 && errno == EINTR) continue;
      const char* const verb = operation.writes_body() ? "write" : "read";
      if (moved < 0) {
        return fail(errno_error(errno, fmt::format("{} {} at offset {}", verb, block.slot.slab->name, place + done)));
      }
      if (moved == 0) {
        return fail(ErrorCode::kDataMismatch,
                    fmt::format("{} {}: the slab ends at {}", verb, block.slot.slab->name, place + done));
      }
      done += static_cast<uint64_t>(moved);
    }
    operation.bytes = operation.length();
    return {};
  }

  Slabs& slabs_;
  const size_t alignment_;
  const std::unique_ptr<storage::Session> inner_;
};

class SlabStore final : public storage::Store {
 public:
  SlabStore(storage::Store& inner, uint64_t block_bytes, bool direct)
      : inner_(inner),
        alignment_(std::max<size_t>(1, inner.traits().buffer_alignment)),
        slabs_(inner.root().path(), (block_bytes + alignment_ - 1) / alignment_ * alignment_, direct) {}

  const Location& root() const override { return inner_.root(); }
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits = inner_.traits();
    traits.blocking = true;
    return traits;
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned /*depth*/) override {
    auto inner = inner_.open_session(1);
    if (!inner) return fail(inner.error());
    return std::make_unique<SlabSession>(slabs_, alignment_, std::move(*inner));
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    const uint64_t wanted = spec.part_bytes != 0 ? spec.part_bytes : spec.size_bytes;
    const uint64_t part = (std::max<uint64_t>(wanted, 1) + alignment_ - 1) / alignment_ * alignment_;
    return std::make_unique<BlockObject>(std::move(spec), part);
  }
  storage::SettingList describe() const override {
    storage::SettingList settings = inner_.describe();
    settings.emplace_back("slabs", fmt::format("{} slots of {} bytes", slabs_.slots(), slabs_.slot_bytes()));
    return settings;
  }
  Result<std::optional<storage::Capacity>> capacity() const override { return inner_.capacity(); }
  Status evict(std::string_view name) override { return inner_.evict(name); }

 private:
  storage::Store& inner_;
  const size_t alignment_;
  Slabs slabs_;
};

}  // namespace

std::unique_ptr<storage::Store> make_slab_store(storage::Store& inner, uint64_t block_bytes, bool direct) {
  return std::make_unique<SlabStore>(inner, block_bytes, direct);
}

}  // namespace mlps::kvcache
