#include "object_store_test.hpp"

#include <csignal>

namespace mlps::test {
namespace {

[[maybe_unused]] const auto kSigpipeBefore = std::signal(SIGPIPE, SIG_IGN);  // as the program does

}  // namespace

void shorten_waits(object::TransferSettings& settings) {
  settings.retry.max_attempts = 4;
  settings.retry.patience = std::chrono::seconds(0);
  settings.retry.transient_base = std::chrono::microseconds(200);
  settings.retry.throttle_base = std::chrono::microseconds(400);
  settings.retry.cap = std::chrono::milliseconds(5);
  settings.retry.retry_after_cap = std::chrono::milliseconds(30);
  settings.cancel_grace = std::chrono::minutes(1);
}

std::string pattern(size_t size) {
  std::string out(size, '\0');
  uint64_t state = 88172645463325252ULL;
  for (char& c : out) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state);
  }
  return out;
}

std::span<std::byte> bytes_of(std::string& text) {
  return std::as_writable_bytes(std::span(text));
}

std::string outcome(const Operation& operation) {
  return operation.error ? code_name(operation.error->code) + ": " + operation.error->message : "ok";
}

void ObjectStoreTest::use(std::unique_ptr<storage::Store> store, unsigned depth) {
  session_.reset();
  store_ = std::move(store);
  session_ = std::move(*store_->open_session(depth));
}

std::unique_ptr<object::RemoteObject> ObjectStoreTest::object(const std::string& name, uint64_t size,
                                                              uint64_t part_bytes) {
  auto made = store_->object({.name = name, .size_bytes = size, .part_bytes = part_bytes, .payload = {}});
  return std::unique_ptr<object::RemoteObject>(static_cast<object::RemoteObject*>(made.release()));
}

std::vector<Operation*> ObjectStoreTest::wait_for(size_t count) {
  std::vector<Operation*> done;
  for (int rounds = 0; done.size() < count && rounds < 200; ++rounds) {
    session_->poll(std::chrono::milliseconds(100), done);
  }
  EXPECT_EQ(done.size(), count);
  return done;
}

Operation ObjectStoreTest::run(OpKind kind, storage::Object& object, uint32_t part, std::span<std::byte> buffer) {
  Operation operation{.kind = kind, .object = &object, .part = part, .buffer = buffer};
  session_->submit(operation);
  wait_for(1);
  return operation;
}

Operation ObjectStoreTest::write_part(storage::Object& object, std::string& bytes, uint32_t part) {
  return run(OpKind::kWritePart, object, part,
             bytes_of(bytes).subspan(object.part_offset(part), object.part_length(part)));
}

Operation ObjectStoreTest::write(storage::Object& object, std::string& bytes) {
  Operation last = run(OpKind::kBeginWrite, object);
  for (uint32_t part = 0; !last.error && part < object.part_count(); ++part) last = write_part(object, bytes, part);
  return last.error ? last : run(OpKind::kCommitWrite, object);
}

}  // namespace mlps::test
