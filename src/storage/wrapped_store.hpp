#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace mlps::storage {

/// A session that hands everything to another one; what a wrapper changes it overrides.
class WrappedSession : public Session {
 public:
  explicit WrappedSession(std::unique_ptr<Session> inner) : inner_(std::move(inner)) {}

  void submit(Operation& operation) override { inner_->submit(operation); }
  void poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) override { inner_->poll(timeout, done); }
  void cancel() override { inner_->cancel(); }
  Status reach() override { return inner_->reach(); }
  Status try_upload(std::string_view name, std::span<const std::byte> part) override {
    return inner_->try_upload(name, part);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_->head(name); }
  Result<ListPage> list(std::string_view prefix, const std::string& continuation) override {
    return inner_->list(prefix, continuation);
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override { return inner_->put(name, bytes); }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    return inner_->get(name, offset, length);
  }
  Status remove(std::string_view name) override { return inner_->remove(name); }
  Result<uint64_t> abort_uploads(std::string_view prefix, const NameFilter& is_meant, Nanos deadline_ns) override {
    return inner_->abort_uploads(prefix, is_meant, deadline_ns);
  }

 protected:
  std::unique_ptr<Session> inner_;
};

/// A store that hands everything to another one; what a wrapper changes it overrides.
class WrappedStore : public Store {
 public:
  explicit WrappedStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

  const Location& root() const override { return inner_->root(); }
  StoreTraits traits() const override { return inner_->traits(); }
  Result<std::unique_ptr<Session>> open_session(unsigned depth) override {
    return wrapped(inner_->open_session(depth));
  }
  Result<std::unique_ptr<Session>> open_probe_session() override { return inner_->open_probe_session(); }
  std::unique_ptr<Object> object(ObjectSpec spec) override { return inner_->object(std::move(spec)); }
  void renew(std::unique_ptr<Object>& place, ObjectSpec& spec) override { inner_->renew(place, spec); }
  SettingList describe() const override { return inner_->describe(); }
  std::vector<Endpoint> endpoints() const override { return inner_->endpoints(); }
  std::vector<ServerUse> server_uses() const override { return inner_->server_uses(); }
  Status flush() override { return inner_->flush(); }
  Result<std::optional<Capacity>> capacity() const override { return std::as_const(*inner_).capacity(); }
  Status evict(std::string_view name) override { return inner_->evict(name); }
  Result<std::optional<Residency>> residency(std::string_view name) override { return inner_->residency(name); }

 protected:
  /// Returns a session around one of the inner store.
  virtual std::unique_ptr<Session> wrap(std::unique_ptr<Session> session) = 0;
  Result<std::unique_ptr<Session>> wrapped(Result<std::unique_ptr<Session>> session) {
    if (!session) return session;
    return wrap(std::move(*session));
  }

  std::unique_ptr<Store> inner_;
};

}  // namespace mlps::storage
