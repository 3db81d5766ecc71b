#include "benchmarks/kvcache/memory_store.hpp"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "benchmarks/kvcache/blocking_session.hpp"

namespace mlps::kvcache {
namespace {

using storage::Operation;
using storage::OpKind;

using Bytes = std::shared_ptr<std::byte[]>;

Error absent(std::string_view name) {
  return Error{ErrorCode::kStorageNotFound, fmt::format("memory holds no {}", name), {}, {}};
}

/// The objects of the store by name.
class Shelf {
 public:
  void put(const std::string& name, Bytes bytes, uint64_t size) {
    const std::lock_guard lock(mutex_);
    held_[name] = {std::move(bytes), size};
  }
  std::pair<Bytes, uint64_t> get(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(name);
    return found == held_.end() ? std::pair<Bytes, uint64_t>() : found->second;
  }
  void remove(std::string_view name) {
    Bytes last;  // freed without the lock
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(name);
    if (found == held_.end()) return;
    last = std::move(found->second.first);
    held_.erase(found);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<Bytes, uint64_t>, std::less<>> held_;
};

class MemoryObject final : public storage::Object {
 public:
  using Object::Object;
  Bytes bytes;
};

class MemorySession final : public BlockingSession {
 public:
  explicit MemorySession(Shelf& shelf) : shelf_(shelf) {}

  Result<storage::ObjectInfo> head(std::string_view name) override {
    const auto [bytes, size] = shelf_.get(name);
    if (bytes == nullptr) return fail(absent(name));
    return storage::ObjectInfo{std::string(name), size};
  }
  Result<storage::ListPage> list(std::string_view /*prefix*/, const std::string& /*continuation*/) override {
    return fail(ErrorCode::kInternal, "the memory of the CPU tier is not listed");
  }
  Status put(std::string_view name, std::span<const std::byte> /*bytes*/) override {
    return fail(ErrorCode::kInternal, fmt::format("put {}: the CPU tier takes entries only", name));
  }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t /*offset*/, uint64_t /*length*/) override {
    return fail(ErrorCode::kInternal, fmt::format("get {}: the CPU tier gives entries only", name));
  }
  Status remove(std::string_view name) override {
    shelf_.remove(name);
    return {};
  }

 private:
  Status act(Operation& operation) override {
    auto& object = static_cast<MemoryObject&>(*operation.object);
    switch (operation.kind) {
      case OpKind::kBeginWrite:
        object.bytes.reset(new (std::nothrow) std::byte[object.size_bytes()]);
        if (object.bytes != nullptr) return {};
        return fail(ErrorCode::kConfigInvalid, fmt::format("no memory for {} bytes", object.size_bytes()), {},
                    "lower --cpu-mem-gb");
      case OpKind::kCommitWrite:
        shelf_.put(object.name(), std::move(object.bytes), object.size_bytes());
        return {};
      case OpKind::kBeginRead:
        object.bytes = shelf_.get(object.name()).first;
        return object.bytes != nullptr ? Status() : Status(fail(absent(object.name())));
      case OpKind::kAbortWrite:
      case OpKind::kEndRead:
        object.bytes.reset();
        return {};
      case OpKind::kWritePart:
        std::memcpy(object.bytes.get() + operation.offset(), operation.buffer.data(), operation.length());
        break;
      case OpKind::kReadPart:
      case OpKind::kReadRange:
        std::memcpy(operation.buffer.data(), object.bytes.get() + operation.offset(), operation.length());
        break;
    }
    operation.bytes = operation.length();
    return {};
  }

  Shelf& shelf_;
};

class MemoryStore final : public storage::Store {
 public:
  const Location& root() const override { return root_; }
  storage::StoreTraits traits() const override { return {"memory", true, true, false, 1}; }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned /*depth*/) override {
    return std::make_unique<MemorySession>(shelf_);
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    const uint64_t part_bytes = spec.part_bytes != 0 ? spec.part_bytes : std::max<uint64_t>(spec.size_bytes, 1);
    return std::make_unique<MemoryObject>(std::move(spec), part_bytes);
  }
  storage::SettingList describe() const override { return {{"engine", "memory of this process"}}; }

 private:
  const Location root_{Scheme::kNull, {}, {}};
  Shelf shelf_;
};

}  // namespace

std::unique_ptr<storage::Store> make_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace mlps::kvcache
