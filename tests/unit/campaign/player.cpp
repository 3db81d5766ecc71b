#include "player.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "object_store_test.hpp"

namespace mlps::test {
namespace {

constexpr unsigned kDepth = 4;
constexpr size_t kSmall = 5000;

std::string said(const Status& status) {
  return status ? "" : render(status.error());
}

bool always(std::string_view /*name*/) {
  return true;
}

}  // namespace

Player::Player(Service& service, Disturber& disturber, const object::TransferSettings& settings, Nanos longest)
    : service_(service), disturber_(disturber), longest_(longest), store_(service.open(settings)) {
  session_ = std::move(*store_->open_session(kDepth));
}

std::vector<storage::ServerUse> Player::uses() {
  session_.reset();
  return store_->server_uses();
}

Player::Piece& Player::piece(const std::string& name, uint64_t size) {
  Piece& made = pieces_[name];
  made.name = name;
  made.bytes = pattern(size);
  if (!made.bytes.empty()) made.bytes[0] = name[0];
  made.object = store_->object({.name = name, .size_bytes = size, .part_bytes = service_.part_bytes()});
  return made;
}

template <class Call>
std::string Player::timed(const char* what, Call call) {
  const Nanos begun = now_ns();
  const Status status = call();
  if (now_ns() - begun > longest_) too_long_ += fmt::format("{} took {} ms\n", what, (now_ns() - begun) / 1'000'000);
  return status ? "" : fmt::format("{}: {}", what, said(status));
}

/// Runs an operation on every part (or on each object as a whole), as many at once as the session takes.
std::string Player::run(storage::OpKind kind, std::vector<Piece*> pieces) {
  std::vector<Operation> operations;
  for (Piece* one : pieces) {
    const bool by_part = kind == OpKind::kWritePart || kind == OpKind::kReadPart;
    for (uint32_t part = 0; part < (by_part ? one->object->part_count() : 1); ++part) {
      Operation& operation = operations.emplace_back();
      operation.kind = kind;
      operation.object = one->object.get();
      operation.part = part;
      if (!by_part) continue;
      operation.buffer = bytes_of(one->bytes).subspan(one->object->part_offset(part), one->object->part_length(part));
    }
  }
  auto& broken_then = kind == OpKind::kReadPart ? while_reading : while_writing;
  std::string failed;
  std::vector<Operation*> done;
  for (size_t next = 0, ended = 0; ended < operations.size(); ended += done.size()) {
    for (; next < operations.size() && next - ended < kDepth; ++next) session_->submit(operations[next]);
    if (operations.size() > 1 && broken_then) std::exchange(broken_then, nullptr)();
    done.clear();
    session_->poll(std::chrono::seconds(1), done);
    for (const Operation* operation : done) {
      const Nanos took = operation->completed_ns - operation->submitted_ns;
      if (took > longest_) too_long_ += fmt::format("{} took {} ms\n", storage::op_name(kind), took / 1'000'000);
      if (operation->error && failed.empty()) failed = render(*operation->error);
    }
  }
  return failed;
}

std::string Player::write(const std::vector<Piece*>& pieces) {
  std::string failed;
  for (const OpKind kind : {OpKind::kBeginWrite, OpKind::kWritePart, OpKind::kCommitWrite}) {
    if (failed.empty()) failed = run(kind, pieces);
  }
  return failed;
}

std::string Player::write_and_forget(Piece& piece) {
  std::string failed = run(OpKind::kBeginWrite, {&piece});
  if (!failed.empty()) return failed;
  Operation first{.kind = OpKind::kWritePart, .object = piece.object.get()};
  first.buffer = bytes_of(piece.bytes).first(piece.object->part_length(0));
  session_->submit(first);
  for (std::vector<Operation*> done; done.empty();) session_->poll(std::chrono::seconds(1), done);
  return first.error ? render(*first.error) : "";
}

std::string Player::read(Piece& piece) {
  const std::string written = std::exchange(piece.bytes, std::string(piece.bytes.size(), '\0'));
  std::string failed = run(OpKind::kReadPart, {&piece});
  const bool same = piece.bytes == written;
  piece.bytes = written;
  return !failed.empty() || same ? failed : fmt::format("other bytes of {} were read", piece.name);
}

std::string Player::check_stored(const std::vector<std::string>& expected) {
  const auto stored = service_.objects();
  std::string wrong;
  for (const std::string& name : expected) {
    const auto found = stored.find(name);
    if (found == stored.end()) wrong += fmt::format("{} is lost\n", name);
    if (found != stored.end() && found->second != pieces_[name].bytes)
      wrong += fmt::format("{} has other bytes\n", name);
  }
  for (const auto& [name, bytes] : stored) {
    if (std::find(expected.begin(), expected.end(), name) == expected.end())
      wrong += fmt::format("{} is there\n", name);
  }
  if (const size_t left = service_.left(); left != 0) wrong += fmt::format("{} are left of uploads\n", left);
  return wrong;
}

std::string Player::play() {
  Piece& large = piece("large", service_.large_bytes());
  Piece& small = piece("small", kSmall);
  Piece& gone = piece("gone", kSmall);
  Piece& empty = piece("void", 0);
  Piece& forgotten = piece("forgotten", service_.large_bytes());
  Piece& given_up = piece("given up", service_.large_bytes());
  const std::string probe = pattern(service_.part_bytes());
  std::string failed;
  const auto step = [&](auto action) {
    if (failed.empty()) failed = action();
  };
  disturber_.disturb_bucket(true);
  step([&] { return timed("reach", [&] { return session_->reach(); }); });
  disturber_.disturb_bucket(false);
  step([&] {
    return timed("try_upload", [&] { return session_->try_upload("probe", std::as_bytes(std::span(probe))); });
  });
  step([&] { return write({&large, &small, &gone, &empty}); });
  step([&] { return read(large); });
  step([&] { return read(small); });
  step([&] { return timed("head", [&] { return Status(session_->head("large").map([](const auto&) {})); }); });
  step([&] { return write_and_forget(given_up); });
  step([&] { return run(OpKind::kAbortWrite, {&given_up}); });
  step([&] { return service_.left() == 0 ? std::string() : fmt::format("{} are left of uploads\n", service_.left()); });
  step([&] { return write_and_forget(forgotten); });
  step([&] {
    return timed("abort_uploads",
                 [&] { return Status(session_->abort_uploads("", always, now_ns() + longest_).map([](auto) {})); });
  });
  step([&] { return timed("remove", [&] { return session_->remove("gone"); }); });
  step([&] { return timed("list", [&] { return Status(session_->list("", "").map([](const auto&) {})); }); });
  return failed + check_stored({"large", "small", "void"}) + too_long_;
}

std::string Player::endure(const std::function<void()>& begin, const std::function<void()>& end) {
  Piece& kept = piece("kept", kSmall);
  Piece& large = piece("large", service_.large_bytes());
  Piece& small = piece("small", kSmall);
  Piece& given_up = piece("given up", service_.large_bytes());
  disturber_.never();
  if (std::string failed = write({&kept}); !failed.empty()) return failed;
  begin();
  std::vector<std::string> expected = {"kept"};
  std::vector<Piece*> unfinished = {&given_up};
  for (Piece* one : {&large, &small}) {
    if (write({one}).empty()) {
      expected.push_back(one->name);
    } else {
      run(OpKind::kAbortWrite, {one});
      unfinished.push_back(one);
    }
  }
  std::string wrong;
  if (const std::string failed = read(kept); failed.find("other bytes") != std::string::npos) wrong = failed + "\n";
  timed("list", [&] { return Status(session_->list("", "").map([](const auto&) {})); });
  timed("reach", [&] { return session_->reach(); });
  write_and_forget(given_up);
  run(OpKind::kAbortWrite, {&given_up});
  constexpr Nanos kDeadline = 2'000'000'000;
  timed("abort_uploads",
        [&] { return Status(session_->abort_uploads("", always, now_ns() + kDeadline).map([](auto) {})); });
  if (timed("remove", [&] { return session_->remove("kept"); }).empty()) expected.erase(expected.begin());
  end();
  // Once the server is well, what could not be cleaned up can be.
  for (Piece* one : unfinished) wrong += run(OpKind::kAbortWrite, {one});
  wrong += timed("abort_uploads",
                 [&] { return Status(session_->abort_uploads("", always, now_ns() + longest_).map([](auto) {})); });
  if (service_.objects().contains("kept") == false) std::erase(expected, "kept");
  return wrong + check_stored(expected) + too_long_;
}

}  // namespace mlps::test
