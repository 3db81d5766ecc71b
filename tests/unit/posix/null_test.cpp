#include <algorithm>

#include "allocations.hpp"
#include "storage/null/null_store.hpp"
#include "support.hpp"

namespace mlps::storage {
namespace {

using namespace test;

class NullTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> store_ = open_null_store(Location(Scheme::kNull, "", ""));
  std::unique_ptr<Session> session_ = store_->open_session(8).value();
};

TEST_F(NullTest, ReadsProduceThePayload) {
  const payload::Source source(42, "x.pt");
  const auto object = store_->object({"x.pt", 10'000, 4096, source});
  ASSERT_EQ(object->part_count(), 3);
  for (uint32_t part = 0; part < 3; ++part) {
    std::vector<std::byte> buffer(4096, std::byte{0xee});
    Operation operation{.kind = OpKind::kReadPart, .object = object.get(), .part = part, .buffer = buffer};
    ASSERT_TRUE(run(*session_, operation));
    EXPECT_EQ(operation.bytes, object->part_length(part));
    const auto got = std::span<const std::byte>(buffer).first(operation.bytes);
    EXPECT_EQ(source.first_mismatch(object->part_offset(part), got), std::nullopt);
    EXPECT_TRUE(std::all_of(buffer.begin() + static_cast<ptrdiff_t>(operation.bytes), buffer.end(),
                            [](std::byte byte) { return byte == std::byte{0xee}; }));
  }
}

TEST_F(NullTest, AnEmptyBufferMovesNoDataButCounts) {
  const auto object = store_->object({"x.pt", 10'000, 4096, {}});
  for (const OpKind kind : {OpKind::kWritePart, OpKind::kReadPart}) {
    Operation operation{.kind = kind, .object = object.get(), .part = 2};
    ASSERT_TRUE(run(*session_, operation));
    EXPECT_EQ(operation.bytes, 10'000 - 2 * 4096);
    EXPECT_EQ(operation.attempts, 1);
    EXPECT_GE(operation.completed_ns, operation.submitted_ns);
    EXPECT_EQ(operation.first_byte_ns, operation.completed_ns);
  }
}

TEST_F(NullTest, ABufferOfTheWrongSizeIsAnInternalError) {
  const auto object = store_->object({"x.pt", 10'000, 4096, {}});
  std::vector<std::byte> buffer(4095);
  for (const OpKind kind : {OpKind::kWritePart, OpKind::kReadPart}) {
    Operation operation{.kind = kind, .object = object.get(), .part = 0, .buffer = buffer};
    EXPECT_TRUE(has_code(run(*session_, operation), ErrorCode::kInternal));
  }
}

TEST_F(NullTest, TheDataPathAllocatesNothing) {
  const auto object = store_->object({"x.pt", 8 * 4096, 4096, {}});
  std::vector<Operation> operations(8);
  std::vector<Operation*> done;
  const auto round = [&] {
    for (uint32_t part = 0; part < 8; ++part) {
      operations[part].kind = OpKind::kWritePart;
      operations[part].object = object.get();
      operations[part].part = part;
      session_->submit(operations[part]);
    }
    done.clear();
    session_->poll(std::chrono::seconds(1), done);
    return done.size();
  };
  ASSERT_EQ(round(), 8);
  const size_t before = allocations();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(round(), 8);
  EXPECT_EQ(allocations(), before);
}

TEST_F(NullTest, CancelEndsAllButCleanup) {
  const auto object = store_->object({"x.pt", 10, 4096, {}});
  session_->cancel();
  for (const OpKind kind : {OpKind::kBeginWrite, OpKind::kWritePart, OpKind::kCommitWrite, OpKind::kReadPart}) {
    EXPECT_TRUE(has_code(run(*session_, kind, *object), ErrorCode::kInterrupted));
  }
  EXPECT_TRUE(run(*session_, OpKind::kAbortWrite, *object));
  EXPECT_TRUE(run(*session_, OpKind::kEndRead, *object));
}

TEST_F(NullTest, KeepsNothingAndSaysSo) {
  EXPECT_FALSE(store_->traits().holds_objects);
  EXPECT_FALSE(store_->traits().file_system);
  EXPECT_TRUE(session_->put("x", {}));
  EXPECT_EQ(session_->head("x").error().code, ErrorCode::kStorageNotFound);
  EXPECT_EQ(session_->get("x", 0, 1).error().code, ErrorCode::kStorageNotFound);
  EXPECT_TRUE(session_->list("", "")->objects.empty());
  EXPECT_TRUE(session_->remove("x"));
  EXPECT_FALSE(store_->capacity()->has_value());
}

}  // namespace
}  // namespace mlps::storage
