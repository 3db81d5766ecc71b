#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "gates/gates.hpp"

namespace mlps::gates {

using Bytes = std::vector<std::byte>;

/// What a store under test does wrong, and what it saw.
struct Behaviour {
  std::optional<Error> open_error, reach_error, put_error, head_error, get_error, upload_error, remove_error,
      list_error, capacity_error;
  bool flips_a_bit = false;
  bool keeps_half = false;
  std::optional<storage::Capacity> capacity;
  std::map<std::string, Bytes> objects;
  std::vector<std::string> calls;
  std::set<std::string> probe_names;
  std::vector<storage::ObjectInfo> listed;
  std::function<void()> on_put = [] {};
};

class FakeSession : public storage::Session {
 public:
  explicit FakeSession(Behaviour& behaviour) : behaviour_(behaviour) {}
  void submit(storage::Operation&) override { ADD_FAILURE() << "gates use the control plane only"; }
  void poll(std::chrono::nanoseconds, std::vector<storage::Operation*>&) override {}
  void cancel() override {}
  Status reach() override {
    if (behaviour_.reach_error) return fail(*behaviour_.reach_error);
    return {};
  }
  Status try_upload(std::string_view, std::span<const std::byte> part) override {
    behaviour_.calls.push_back("upload " + std::to_string(part.size()));
    if (behaviour_.upload_error) return fail(*behaviour_.upload_error);
    return {};
  }
  Result<storage::ObjectInfo> head(std::string_view name) override {
    behaviour_.calls.emplace_back("head");
    if (behaviour_.head_error) return fail(*behaviour_.head_error);
    return storage::ObjectInfo{std::string(name), behaviour_.objects.at(std::string(name)).size()};
  }
  Result<storage::ListPage> list(std::string_view prefix, const std::string&) override {
    behaviour_.calls.push_back("list " + std::string(prefix));
    if (behaviour_.list_error) return fail(*behaviour_.list_error);
    return storage::ListPage{behaviour_.listed, {}};
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override {
    behaviour_.calls.emplace_back("put");
    behaviour_.on_put();
    behaviour_.probe_names.emplace(name);
    // Also a put that fails may leave something behind.
    behaviour_.objects[std::string(name)] = Bytes(bytes.begin(), bytes.end());
    if (behaviour_.put_error) return fail(*behaviour_.put_error);
    return {};
  }
  Result<Bytes> get(std::string_view name, uint64_t offset, uint64_t length) override {
    behaviour_.calls.emplace_back("get");
    if (behaviour_.get_error) return fail(*behaviour_.get_error);
    Bytes bytes = behaviour_.objects.at(std::string(name));
    EXPECT_EQ(offset, 0U);
    EXPECT_EQ(length, bytes.size());
    if (behaviour_.flips_a_bit) bytes[1000] ^= std::byte{4};
    if (behaviour_.keeps_half) bytes.resize(bytes.size() / 2);
    return bytes;
  }
  Status remove(std::string_view name) override {
    behaviour_.calls.emplace_back("remove");
    if (behaviour_.remove_error) return fail(*behaviour_.remove_error);
    behaviour_.objects.erase(std::string(name));
    return {};
  }

 private:
  Behaviour& behaviour_;
};

/// A store whose objects are in memory, also where it says it is a folder.
class FakeStore : public storage::Store {
 public:
  FakeStore(Location root, storage::StoreTraits traits) : root_(std::move(root)), traits_(traits) {}
  const Location& root() const override { return root_; }
  storage::StoreTraits traits() const override { return traits_; }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned) override {
    behaviour.calls.emplace_back("open");
    if (behaviour.open_error) return fail(*behaviour.open_error);
    return std::make_unique<FakeSession>(behaviour);
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    const uint64_t part_bytes = spec.part_bytes;
    return std::make_unique<storage::Object>(std::move(spec), part_bytes);
  }
  std::vector<std::pair<std::string, std::string>> describe() const override { return {}; }
  Result<std::optional<storage::Capacity>> capacity() const override {
    if (behaviour.capacity_error) return fail(*behaviour.capacity_error);
    return behaviour.capacity;
  }

  Behaviour behaviour;

 private:
  Location root_;
  storage::StoreTraits traits_;
};

inline FakeStore bucket() {
  return {Location(Scheme::kS3, "bucket", "prefix"), storage::StoreTraits{"s3", false, true, false, 1}};
}
inline FakeStore folder(const std::string& path) {
  FakeStore store{Location(Scheme::kFile, "", path), storage::StoreTraits{"file", true, true, true, 1}};
  store.behaviour.capacity = storage::Capacity{uint64_t{1} << 50, path};
  return store;
}

inline Request request_for(storage::Store& store) {
  Request request;
  request.store = &store;
  request.bytes_to_write = kMiB;
  request.buffer_bytes = kMiB;
  return request;
}

inline std::vector<std::string> texts(const Report& report) {
  std::vector<std::string> result;
  for (const Error& error : report.failures) result.push_back(render(error));
  return result;
}

inline const Error kRefused{ErrorCode::kStorageDenied, "PUT: 403 AccessDenied", "request 17", "check the policy"};

}  // namespace mlps::gates
