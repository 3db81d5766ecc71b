#include "support.hpp"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <fstream>
#include <iterator>
#include <thread>

namespace mlps::storage::test {

using std::chrono::milliseconds;

TempFolder::TempFolder(const std::string& base) : path_(base + "/storage-test-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no folder below " << base;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

OtherUser::OtherUser() : was_root_(::geteuid() == 0) {
  if (was_root_ && ::seteuid(65534) != 0) ADD_FAILURE() << "can't become another user";
}

OtherUser::~OtherUser() {
  if (was_root_ && ::seteuid(0) != 0) ADD_FAILURE() << "can't become root again";
}

namespace {

/// Gives this process a mount namespace of its own: whatever happens to the test, nothing stays mounted. Without root's
/// rights by way of a user namespace in which the user keeps the same number.
bool have_own_mounts() {
  if (::unshare(CLONE_NEWNS) == 0) return true;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
  std::ofstream("/proc/self/gid_map") << group << ' ' << group << " 1";
  // In its own namespace the process may do everything, and so could not be refused anything: it keeps mounting alone.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct mounting[2] = {{1U << CAP_SYS_ADMIN, 1U << CAP_SYS_ADMIN, 0}, {0, 0, 0}};
  return ::geteuid() == user && ::syscall(SYS_capset, &header, mounting) == 0;
}

}  // namespace

std::unique_ptr<PrivateMount> PrivateMount::make(const std::string& type, const std::string& options) {
  auto mount = std::make_unique<PrivateMount>();
  if (!have_own_mounts()) return nullptr;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return nullptr;
  if (::mount(type.c_str(), mount->path().c_str(), type.c_str(), 0, options.c_str()) != 0) return nullptr;
  mount->mounted_ = true;
  return mount;
}

PrivateMount::~PrivateMount() {
  if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
}

bool refuse_calls(int number, int error) {
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(steps), .filter = steps};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

void in_a_thread(const std::function<void()>& work) {
  std::thread(work).join();
}

std::byte pattern_at(uint64_t offset, uint64_t seed) {
  uint64_t value = (offset + 1) * 0x9e3779b97f4a7c15 + seed * 0xd1342543de82ef95;
  value ^= value >> 29;
  value *= 0xbf58476d1ce4e5b9;
  return static_cast<std::byte>(value >> 56);
}

void fill_pattern(uint64_t offset, std::span<std::byte> out, uint64_t seed) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = pattern_at(offset + i, seed);
}

PartBuffer::PartBuffer(uint64_t bytes) : bytes_(bytes) {
  Result<AlignedBuffer> memory = AlignedBuffer::allocate((bytes / 4096 + 1) * 4096);
  if (!memory) {
    ADD_FAILURE() << render(memory.error());
    return;
  }
  memory_ = std::move(*memory);
  std::ranges::fill(memory_.span(), std::byte{0xee});
}

Status run(Session& session, Operation& operation) {
  session.submit(operation);
  std::vector<Operation*> done;
  for (int i = 0; i < 1000 && done.empty(); ++i) session.poll(milliseconds(20), done);
  EXPECT_THAT(done, ::testing::ElementsAre(&operation));
  if (operation.error) return fail(*operation.error);
  return {};
}

Status run(Session& session, OpKind kind, Object& object) {
  Operation operation{.kind = kind, .object = &object};
  return run(session, operation);
}

Status write_part(Session& session, Object& object, uint32_t part, uint64_t seed) {
  const PartBuffer buffer(object.part_length(part));
  fill_pattern(object.part_offset(part), buffer.part(), seed);
  Operation operation{.kind = OpKind::kWritePart, .object = &object, .part = part, .buffer = buffer.part()};
  return run(session, operation);
}

Status read_part(Session& session, Object& object, uint32_t part, uint64_t seed) {
  const PartBuffer buffer(object.part_length(part));
  Operation operation{.kind = OpKind::kReadPart, .object = &object, .part = part, .buffer = buffer.part()};
  Status status = run(session, operation);
  if (!status) return status;
  EXPECT_EQ(operation.bytes, object.part_length(part));
  std::vector<std::byte> expected(buffer.part().size());
  fill_pattern(object.part_offset(part), expected, seed);
  EXPECT_TRUE(std::ranges::equal(buffer.part(), expected)) << object.name() << " part " << part;
  return {};
}

namespace {

/// Moves all parts with up to `depth` in flight, each in a buffer of its own.
Status move_parts(Session& session, Object& object, OpKind kind, unsigned depth, uint64_t seed) {
  std::deque<PartBuffer> buffers;
  std::deque<Operation> operations;
  std::vector<Operation*> done;
  size_t finished = 0;
  for (uint32_t part = 0; part < object.part_count(); ++part) {
    buffers.emplace_back(object.part_length(part));
    if (kind == OpKind::kWritePart) fill_pattern(object.part_offset(part), buffers.back().part(), seed);
    operations.push_back({.kind = kind, .object = &object, .part = part, .buffer = buffers.back().part()});
  }
  for (size_t next = 0; finished < operations.size();) {
    while (next < operations.size() && next - finished < depth) session.submit(operations[next++]);
    done.clear();
    session.poll(milliseconds(100), done);
    finished += done.size();
  }
  for (const Operation& operation : operations) {
    if (operation.error) return fail(*operation.error);
    EXPECT_EQ(operation.bytes, object.part_length(operation.part));
    EXPECT_GE(operation.completed_ns, operation.submitted_ns);
    EXPECT_GE(operation.completed_ns, operation.first_byte_ns);
    EXPECT_GE(operation.first_byte_ns, operation.submitted_ns);
    std::vector<std::byte> expected(operation.buffer.size());
    fill_pattern(object.part_offset(operation.part), expected, seed);
    EXPECT_TRUE(std::ranges::equal(operation.buffer, expected)) << object.name() << " part " << operation.part;
  }
  return {};
}

Status move_object(Store& store, const ObjectSpec& spec, bool writing, unsigned depth, uint64_t seed) {
  Result<std::unique_ptr<Session>> session = store.open_session(depth);
  if (!session) return fail(session.error());
  const std::unique_ptr<Object> object = store.object(spec);
  Status status = run(**session, writing ? OpKind::kBeginWrite : OpKind::kBeginRead, *object);
  if (!status) return status;
  status = move_parts(**session, *object, writing ? OpKind::kWritePart : OpKind::kReadPart, depth, seed);
  const Status closed = run(**session, writing ? OpKind::kCommitWrite : OpKind::kEndRead, *object);
  return status ? closed : status;
}

}  // namespace

Status write_object(Store& store, const ObjectSpec& spec, unsigned depth, uint64_t seed) {
  return move_object(store, spec, true, depth, seed);
}

Status read_object(Store& store, const ObjectSpec& spec, unsigned depth, uint64_t seed) {
  return move_object(store, spec, false, depth, seed);
}

uint64_t size_of(const std::string& path) {
  return std::filesystem::file_size(path);
}

bool has_code(const Status& status, ErrorCode code) {
  return !status && status.error().code == code;
}

std::string text_of(const Status& status) {
  return status ? "success" : render(status.error());
}

}  // namespace mlps::storage::test
