// Writes one file through direct:// as the benchmark's workers do (take a free buffer, fill it with the payload, submit
// it) and prints what it cost, as one line of JSON. compare.py runs it beside fio.

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/units.hpp"
#include "storage/posix/file_store.hpp"

namespace mlps {
namespace {

using storage::Operation;
using storage::OpKind;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

[[noreturn]] void stop(const Error& error) {
  fmt::print(stderr, "{}\n", render(error));
  std::exit(1);
}

/// The operations that came back, at least one; an error ends the program.
void wait(storage::Session& session, std::vector<Operation*>& done) {
  done.clear();
  while (done.empty()) session.poll(std::chrono::seconds(1), done);
  for (const Operation* operation : done) {
    if (operation->error) stop(*operation->error);
  }
}

void run_one(storage::Session& session, OpKind kind, storage::Object& object) {
  Operation operation{.kind = kind, .object = &object};
  session.submit(operation);
  std::vector<Operation*> done;
  wait(session, done);
}

/// `depth` operations on buffers cut from one piece of memory: only that is large enough for huge pages, and with small
/// pages every block becomes hundreds of segments for the device.
void move_parts(storage::Session& session, storage::Object& object, std::span<std::byte> memory, unsigned depth) {
  std::vector<Operation> operations(depth);
  std::vector<Operation*> free, done;
  for (unsigned i = 0; i < depth; ++i) {
    operations[i] = {.kind = OpKind::kWritePart, .object = &object, .tag = i};
    free.push_back(&operations[i]);
  }
  uint32_t next = 0;
  for (uint32_t finished = 0; finished < object.part_count();) {
    while (!free.empty() && next < object.part_count()) {
      Operation& operation = *free.back();
      free.pop_back();
      operation.part = next++;
      operation.buffer = memory.subspan(operation.tag * object.part_bytes(), object.part_length(operation.part));
      object.payload().fill(object.part_offset(operation.part), operation.buffer);
      session.submit(operation);
    }
    wait(session, done);
    finished += static_cast<uint32_t>(done.size());
    free.insert(free.end(), done.begin(), done.end());
  }
}

int run(const std::string& folder, uint64_t bytes, uint64_t block, unsigned depth, bool huge_pages) {
  const auto store = storage::open_direct_store(Location(Scheme::kDirect, "", folder));
  if (!store) stop(store.error());
  const auto session = (*store)->open_session(depth);
  if (!session) stop(session.error());
  const std::string name = "direct_write.bin";
  const auto object = (*store)->object({name, bytes, block, payload::Source(1, name)});
  const Result<AlignedBuffer> memory = AlignedBuffer::allocate(object->part_bytes() * depth);
  if (!memory) stop(memory.error());
  if (!huge_pages) ::madvise(memory->data(), memory->size(), MADV_NOHUGEPAGE);

  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const Nanos start = now_ns();
  run_one(**session, OpKind::kBeginWrite, *object);
  move_parts(**session, *object, memory->span(), depth);
  run_one(**session, OpKind::kCommitWrite, *object);
  const double seconds = to_seconds(now_ns() - start);
  ::getrusage(RUSAGE_SELF, &after);
  if (Status removed = (*session)->remove(name); !removed) stop(removed.error());
  fmt::print(
      "{{\"bytes\": {}, \"seconds\": {:.6f}, \"user_seconds\": {:.6f}, \"system_seconds\": {:.6f}, \"layer\": "
      "\"{}\"}}\n",
      bytes, seconds, seconds_of(after.ru_utime) - seconds_of(before.ru_utime),
      seconds_of(after.ru_stime) - seconds_of(before.ru_stime), payload::active_layer());
  return 0;
}

}  // namespace
}  // namespace mlps

int main(int argc, char** argv) {
  const std::string pages = argc == 6 ? argv[5] : "";
  if (pages != "huge" && pages != "small") {
    fmt::print(stderr, "usage: direct_write FOLDER SIZE BLOCK DEPTH huge|small\n");
    return 2;
  }
  const auto bytes = mlps::parse_size(argv[2]);
  const auto block = mlps::parse_size(argv[3]);
  const int depth = std::atoi(argv[4]);
  if (!bytes || !block || depth < 1) {
    fmt::print(stderr, "SIZE and BLOCK are sizes like 1GiB, DEPTH is a positive number\n");
    return 2;
  }
  return mlps::run(argv[1], *bytes, *block, static_cast<unsigned>(depth), pages == "huge");
}
