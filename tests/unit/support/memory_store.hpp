#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace mlps::test {

/// A store in memory for tests of what is built on the seam: it keeps the protocol strictly (parts once, commit after
/// all parts, abort with nothing in flight) and can be told to fail or alter any operation.
class MemoryStore : public storage::Store {
 public:
  struct Blob {
    std::vector<std::byte> bytes;
    bool complete = false;
  };
  /// Called for every operation before it is carried out; may set operation.error, or change the bytes.
  using Hook = std::function<void(storage::Operation&)>;

  explicit MemoryStore(Hook hook = {}) : hook_(std::move(hook)) {}

  const Location& root() const override { return root_; }
  storage::StoreTraits traits() const override {
    storage::StoreTraits traits;
    traits.backend = "memory";
    traits.blocking = true;
    return traits;
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned) override;
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    const uint64_t part = spec.part_bytes;
    return std::make_unique<MemoryObject>(std::move(spec), part);
  }
  std::vector<std::pair<std::string, std::string>> describe() const override { return {{"backend", "memory"}}; }

  /// From now on unfinished uploads can't be aborted.
  void refuse_aborts(Error error) { refused_aborts_ = std::move(error); }

  std::map<std::string, Blob> blobs;    ///< by name; guarded by mutex while sessions work
  std::atomic<int> protocol_errors{0};  ///< calls out of order
  std::atomic<int> aborts{0};
  std::mutex mutex;

 private:
  struct MemoryObject : storage::Object {
    using Object::Object;
    std::atomic<uint32_t> parts_done{0};
    std::atomic<bool> begun{false};
    std::atomic<bool> read_by_range{false};
  };
  class MemorySession;

  Location root_{Scheme::kS3, "memory", ""};
  Hook hook_;
  std::optional<Error> refused_aborts_;
};

class MemoryStore::MemorySession : public storage::Session {
 public:
  explicit MemorySession(MemoryStore& store) : store_(store) {}

  void submit(storage::Operation& operation) override {
    operation.submitted_ns = now_ns();
    operation.attempts = 1;
    const bool cleaning = operation.kind == storage::OpKind::kAbortWrite || operation.kind == storage::OpKind::kEndRead;
    if (cancelled_ && !cleaning) {
      operation.error = Error{ErrorCode::kInterrupted, "cancelled"};
    } else {
      if (store_.hook_) store_.hook_(operation);
      if (!operation.error) carry_out(operation);
    }
    operation.first_byte_ns = operation.completed_ns = now_ns();
    done_.push_back(&operation);
  }
  void poll(std::chrono::nanoseconds, std::vector<storage::Operation*>& done) override {
    done.insert(done.end(), done_.begin(), done_.end());
    done_.clear();
  }
  void cancel() override { cancelled_ = true; }

  Result<storage::ObjectInfo> head(std::string_view name) override {
    const std::lock_guard lock(store_.mutex);
    const auto found = store_.blobs.find(std::string(name));
    if (found == store_.blobs.end()) return fail(ErrorCode::kStorageNotFound, "no " + std::string(name));
    return storage::ObjectInfo{std::string(name), found->second.bytes.size()};
  }
  Result<storage::ListPage> list(std::string_view prefix, const std::string& continuation) override {
    // Two per page, so that paging is always exercised.
    const std::lock_guard lock(store_.mutex);
    storage::ListPage page;
    for (const auto& [name, blob] : store_.blobs) {
      if (name.rfind(prefix, 0) != 0 || name <= continuation || !blob.complete) continue;
      if (page.objects.size() == 2) {
        page.next = page.objects.back().name;
        break;
      }
      page.objects.push_back({name, blob.bytes.size()});
    }
    return page;
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(store_.mutex);
    store_.blobs[std::string(name)] = {{bytes.begin(), bytes.end()}, true};
    return {};
  }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    const std::lock_guard lock(store_.mutex);
    const auto found = store_.blobs.find(std::string(name));
    if (found == store_.blobs.end()) return fail(ErrorCode::kStorageNotFound, std::string(name) + " is not there");
    const auto& bytes = found->second.bytes;
    // As object stores: what isn't there can't be asked for.
    if (offset + length > bytes.size()) return fail(ErrorCode::kDataMismatch, std::string(name) + " is shorter");
    const auto first = bytes.begin() + static_cast<ptrdiff_t>(offset);
    return std::vector<std::byte>(first, first + static_cast<ptrdiff_t>(length));
  }
  Status remove(std::string_view name) override {
    const std::lock_guard lock(store_.mutex);
    store_.blobs.erase(std::string(name));
    return {};
  }
  /// What isn't complete is an upload.
  Result<uint64_t> abort_uploads(std::string_view prefix, const storage::NameFilter& is_meant, Nanos) override {
    if (store_.refused_aborts_) return fail(*store_.refused_aborts_);
    const std::lock_guard lock(store_.mutex);
    return std::erase_if(store_.blobs, [&](const auto& entry) {
      return entry.first.starts_with(prefix) && !entry.second.complete && is_meant(entry.first);
    });
  }

 private:
  static std::vector<std::byte>::iterator at(Blob& blob, const storage::Operation& operation) {
    return blob.bytes.begin() + static_cast<ptrdiff_t>(operation.offset());
  }

  Status check_stored(const storage::Object& object) const {
    const auto found = store_.blobs.find(object.name());
    if (found == store_.blobs.end()) return fail(ErrorCode::kStorageNotFound, object.name() + " is not there");
    if (found->second.bytes.size() == object.size_bytes()) return {};
    return fail(ErrorCode::kDataMismatch, object.name() + " has another size");
  }

  void carry_out(storage::Operation& operation) {
    auto& object = static_cast<MemoryObject&>(*operation.object);
    const std::lock_guard lock(store_.mutex);
    if (operation.kind == storage::OpKind::kBeginRead) {
      if (auto found = check_stored(object); !found) {
        operation.error = std::move(found.error());
        return;
      }
    }
    Blob& blob = store_.blobs[object.name()];
    switch (operation.kind) {
      case storage::OpKind::kBeginWrite:
        blob = {std::vector<std::byte>(object.size_bytes()), false};
        [[fallthrough]];
      case storage::OpKind::kBeginRead:
        if (object.begun.exchange(true)) ++store_.protocol_errors;
        break;
      case storage::OpKind::kWritePart:
        if (!object.begun) ++store_.protocol_errors;
        operation.bytes = operation.buffer.size();
        std::copy(operation.buffer.begin(), operation.buffer.end(), at(blob, operation));
        ++object.parts_done;
        break;
      case storage::OpKind::kReadPart:
      case storage::OpKind::kReadRange:
        if (!object.begun) ++store_.protocol_errors;
        if (operation.kind == storage::OpKind::kReadRange) object.read_by_range = true;
        operation.bytes = operation.length();
        std::copy_n(at(blob, operation), operation.bytes, operation.buffer.begin());
        ++object.parts_done;
        break;
      case storage::OpKind::kCommitWrite:
        if (object.parts_done != object.part_count()) ++store_.protocol_errors;
        blob.complete = true;
        break;
      case storage::OpKind::kEndRead:
        if (!object.read_by_range && object.parts_done != object.part_count()) ++store_.protocol_errors;
        break;
      case storage::OpKind::kAbortWrite:
        ++store_.aborts;
        store_.blobs.erase(object.name());
        break;
    }
  }

  MemoryStore& store_;
  std::vector<storage::Operation*> done_;
  std::atomic<bool> cancelled_{false};
};

inline Result<std::unique_ptr<storage::Session>> MemoryStore::open_session(unsigned) {
  return std::unique_ptr<storage::Session>(std::make_unique<MemorySession>(*this));
}

}  // namespace mlps::test
