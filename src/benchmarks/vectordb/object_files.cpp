#include "benchmarks/vectordb/object_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/crc.hpp"
#include "benchmarks/vectordb/binary.hpp"

namespace mlps::vectordb {
namespace {

constexpr std::chrono::milliseconds kPollTimeout{100};

Status do_operation(storage::Session& session, storage::Operation& operation) {
  session.submit(operation);
  return finish_operation(session, operation);
}

}  // namespace

Status finish_operation(storage::Session& session, storage::Operation& operation) {
  std::vector<storage::Operation*> done;
  while (done.empty()) session.poll(kPollTimeout, done);
  if (operation.error) return fail(*operation.error);
  return {};
}

/// A session for the time of one call.
struct ObjectFiles::Loan {
  ObjectFiles& files;
  Result<std::unique_ptr<storage::Session>> session;
  explicit Loan(ObjectFiles& owner) : files(owner), session(owner.borrow()) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() {
    if (session) files.give_back(std::move(*session));
  }
};

Result<std::unique_ptr<storage::Session>> ObjectFiles::borrow() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  return store_.open_session(1);
}

void ObjectFiles::give_back(std::unique_ptr<storage::Session> session) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

Status ObjectFiles::write_checked(std::string_view name, std::vector<std::byte> bytes) {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  const uint64_t checksum = crc64nvme(bytes);
  const auto tail = std::as_bytes(std::span(&checksum, 1));
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return (*loan.session)->put(path(name), bytes);
}

Result<std::vector<std::byte>> ObjectFiles::read_checked(std::string_view name) {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  auto bytes = storage::get_whole(**loan.session, path(name), UINT64_MAX);
  if (!bytes) return bytes;
  uint64_t checksum = 0;
  if (bytes->size() >= sizeof checksum) {
    const auto body = std::span(*bytes).first(bytes->size() - sizeof checksum);
    checksum = BinaryReader(std::span(*bytes).last(sizeof checksum)).take<uint64_t>();
    if (checksum == crc64nvme(body)) {
      bytes->resize(body.size());
      return bytes;
    }
  }
  return fail(ErrorCode::kDataMismatch, fmt::format("{} is damaged or cut off: its checksum is wrong", path(name)));
}

Status ObjectFiles::write_parts(std::string_view name, uint64_t size, uint64_t unit,
                                const std::function<void(uint64_t, std::span<std::byte>)>& fill) {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  storage::Session& session = **loan.session;
  const uint64_t part_bytes = std::max(unit, store_.traits().part_bytes / unit * unit);
  const auto object = store_.object({.name = path(name), .size_bytes = size, .part_bytes = part_bytes});
  auto buffer = AlignedBuffer::allocate(object->part_bytes());
  if (!buffer) return fail(buffer.error());
  storage::Operation operation{.kind = storage::OpKind::kBeginWrite, .object = object.get()};
  auto status = do_operation(session, operation);
  if (!status) return status;
  for (uint32_t part = 0; status && part < object->part_count(); ++part) {
    const auto bytes = buffer->span().first(object->part_length(part));
    fill(object->part_offset(part), bytes);
    operation = {.kind = storage::OpKind::kWritePart, .object = object.get(), .part = part, .buffer = bytes};
    status = do_operation(session, operation);
  }
  operation = {.kind = status ? storage::OpKind::kCommitWrite : storage::OpKind::kAbortWrite, .object = object.get()};
  const auto ended = do_operation(session, operation);
  return status ? ended : status;
}

Result<bool> ObjectFiles::is_there(std::string_view name) {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  const auto info = (*loan.session)->head(path(name));
  if (info) return true;
  if (info.error().code == ErrorCode::kStorageNotFound || info.error().code == ErrorCode::kPathNotFound) return false;
  return fail(info.error());
}

Status ObjectFiles::remove(std::string_view name) {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  return (*loan.session)->remove(path(name));
}

Status ObjectFiles::remove_all() {
  Loan loan(*this);
  if (!loan.session) return fail(loan.session.error());
  std::string next;
  std::vector<std::string> names;
  do {
    const auto page = (*loan.session)->list(folder_ + "/", next);
    if (!page) return fail(page.error());
    for (const auto& object : page->objects) names.push_back(object.name);
    next = page->next;
  } while (!next.empty());
  // The description goes last: what is left of a removal that was interrupted is still known as this collection.
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return (a == path("collection")) < (b == path("collection"));
  });
  for (const auto& name : names) {
    if (auto removed = (*loan.session)->remove(name); !removed) return removed;
  }
  return {};
}

}  // namespace mlps::vectordb
