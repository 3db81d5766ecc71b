#include "storage/null/null_store.hpp"

#include <algorithm>
#include <atomic>

#include "storage/outcome.hpp"

namespace mlps::storage {
namespace {

Error keeps_nothing(std::string_view name) {
  return Error{ErrorCode::kStorageNotFound, "null:// keeps nothing, so there is no " + std::string(name)};
}

/// Completes inside submit(). The vector of completed operations grows to its working size once.
class NullSession final : public Session {
 public:
  explicit NullSession(unsigned depth) { ready_.reserve(depth); }

  void submit(Operation& operation) override {
    // Operations without bytes take no time, and reading the clock would be most of their cost: those submitted
    // together share one time.
    if (ready_.empty() || !operation.buffer.empty()) moment_ns_ = now_ns();
    start_outcome(operation, moment_ns_);
    ready_.push_back(&operation);
    if (cancelled_.load(std::memory_order_relaxed) && !is_cleanup(operation.kind)) {
      return finish_outcome(operation, fail(cancelled_error(operation)));
    }
    if (!operation.writes_body() && !operation.reads_body()) {
      return finish_outcome(operation, {});
    }
    const Object& object = *operation.object;
    if (!operation.is_inside()) return finish_outcome(operation, fail(ErrorCode::kInternal, "outside of the object"));
    const uint64_t length = operation.length();
    if (!operation.buffer.empty()) {
      const bool writing = operation.writes_body();
      if (writing ? operation.buffer.size() != length : operation.buffer.size() < length) {
        return finish_outcome(operation, fail(ErrorCode::kInternal, "the buffer doesn't fit the part"));
      }
      if (!writing) object.fill(operation.offset(), operation.buffer.first(length));
    }
    operation.bytes = length;
    if (operation.buffer.empty()) {
      operation.first_byte_ns = operation.completed_ns = operation.submitted_ns;
    } else {
      finish_outcome(operation, {});
    }
  }

  void poll(std::chrono::nanoseconds /*timeout*/, std::vector<Operation*>& done) override {
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
  }

  void cancel() override { cancelled_.store(true, std::memory_order_relaxed); }

  Result<ObjectInfo> head(std::string_view name) override { return fail(keeps_nothing(name)); }
  Result<ListPage> list(std::string_view /*prefix*/, const std::string& /*continuation*/) override {
    return ListPage{};
  }
  Status put(std::string_view /*name*/, std::span<const std::byte> /*bytes*/) override { return {}; }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t /*offset*/, uint64_t /*length*/) override {
    return fail(keeps_nothing(name));
  }
  Status remove(std::string_view /*name*/) override { return {}; }

 private:
  std::vector<Operation*> ready_;
  Nanos moment_ns_ = 0;
  std::atomic<bool> cancelled_ = false;
};

class NullObject final : public Object {
 public:
  using Object::become;
  using Object::Object;
};

class NullStore final : public Store {
 public:
  explicit NullStore(const Location& root) : root_(root) {}

  const Location& root() const override { return root_; }
  StoreTraits traits() const override { return {"null", false, false, false, 1, false}; }
  Result<std::unique_ptr<Session>> open_session(unsigned depth) override {
    return std::make_unique<NullSession>(depth);
  }
  std::unique_ptr<Object> object(ObjectSpec spec) override {
    const uint64_t part_bytes = part_bytes_of(spec);
    return std::make_unique<NullObject>(std::move(spec), part_bytes);
  }
  void renew(std::unique_ptr<Object>& place, ObjectSpec& spec) override {
    if (place == nullptr) {
      place = object(std::move(spec));
    } else {
      static_cast<NullObject&>(*place).become(spec, part_bytes_of(spec));
    }
  }
  SettingList describe() const override { return {{"engine", "none - no storage; measures this program only"}}; }

 private:
  static uint64_t part_bytes_of(const ObjectSpec& spec) {
    return spec.part_bytes != 0 ? spec.part_bytes : std::max<uint64_t>(spec.size_bytes, 1);
  }

  Location root_;
};

}  // namespace

std::unique_ptr<Store> open_null_store(const Location& root) {
  return std::make_unique<NullStore>(root);
}

}  // namespace mlps::storage
