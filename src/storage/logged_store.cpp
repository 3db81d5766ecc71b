#include "storage/logged_store.hpp"

#include <fmt/format.h>

#include <array>

#include "base/encoding.hpp"
#include "storage/wrapped_store.hpp"

namespace mlps::storage {
namespace {

constexpr size_t kErrorWords = 200;

/// What the log calls an operation, by OpKind.
constexpr std::array<std::pair<LogOp, bool>, 8> kLogged = {{{LogOp::kPut, false},
                                                            {LogOp::kPut, true},
                                                            {LogOp::kPut, false},
                                                            {LogOp::kDelete, false},
                                                            {LogOp::kStat, false},
                                                            {LogOp::kGet, true},
                                                            {LogOp::kStat, false},
                                                            {LogOp::kGet, true}}};

class LoggedSession final : public WrappedSession {
  struct Asked {
    LogOp op;
    std::string_view request;
    uint64_t bytes = 0;
    uint64_t offset = 0;
  };

  template <class Act>
  auto logged(const Asked& asked, std::string_view name, Act act) {
    LoggedRequest request;
    request.start_ns = now_ns();
    auto result = act();
    request.end_ns = now_ns();
    request.op = asked.op;
    request.moves_data = asked.op != LogOp::kStat && asked.op != LogOp::kList;
    request.bytes = result ? asked.bytes : 0;
    request.offset = asked.offset;
    request.request = asked.request;
    request.endpoint = endpoint_;
    request.file = file_of(name);
    const std::string words = result ? std::string() : words_of(result.error());
    request.error = words;
    log_->add(request);
    return result;
  }

 public:
  LoggedSession(std::unique_ptr<Session> inner, const Location& root, std::shared_ptr<OpLogChannel> log)
      : WrappedSession(std::move(inner)),
        endpoint_(fmt::format("{}://", scheme_name(root.scheme()))),
        folder_(root.path().ends_with('/') ? root.path() : root.path() + "/"),
        log_(std::move(log)) {}

  void poll(std::chrono::nanoseconds timeout, std::vector<Operation*>& done) override {
    const size_t before = done.size();
    inner_->poll(timeout, done);
    for (size_t i = before; i < done.size(); ++i) add(*done[i]);
  }
  Result<ObjectInfo> head(std::string_view name) override {
    return logged({LogOp::kStat, "head"}, name, [&] { return inner_->head(name); });
  }
  Result<ListPage> list(std::string_view prefix, const std::string& continuation) override {
    return logged({LogOp::kList, "list"}, prefix, [&] { return inner_->list(prefix, continuation); });
  }
  Status put(std::string_view name, std::span<const std::byte> bytes) override {
    return logged({LogOp::kPut, "put", bytes.size()}, name, [&] { return inner_->put(name, bytes); });
  }
  Result<std::vector<std::byte>> get(std::string_view name, uint64_t offset, uint64_t length) override {
    return logged({LogOp::kGet, "get", length, offset}, name, [&] { return inner_->get(name, offset, length); });
  }
  Status remove(std::string_view name) override {
    return logged({LogOp::kDelete, "remove"}, name, [&] { return inner_->remove(name); });
  }

 private:
  /// Names the file of the next line.
  std::string_view file_of(std::string_view name) { return file_.assign(folder_).append(name); }

  static std::string words_of(const Error& error) {
    return fmt::format("{} {}", code_name(error.code), printable(error.message, kErrorWords));
  }

  void add(const Operation& operation) {
    const auto [op, moves_data] = kLogged[static_cast<size_t>(operation.kind)];
    LoggedRequest request;
    request.op = op;
    request.moves_data = moves_data;
    request.attempt = operation.attempts;
    request.bytes = moves_data ? operation.bytes : 0;
    request.offset = moves_data ? operation.offset() : 0;
    request.start_ns = operation.submitted_ns;
    request.first_byte_ns = operation.reads_body() && !operation.error ? operation.first_byte_ns : 0;
    request.end_ns = operation.completed_ns;
    request.request = op_name(operation.kind);
    request.endpoint = endpoint_;
    request.file = file_of(operation.object->name());
    const std::string words = operation.error ? words_of(*operation.error) : std::string();
    request.error = words;
    log_->add(request);
  }

  const std::string endpoint_;
  const std::string folder_;
  std::string file_;
  const std::shared_ptr<OpLogChannel> log_;
};

class LoggedStore final : public WrappedStore {
 public:
  LoggedStore(std::unique_ptr<Store> inner, std::shared_ptr<OpLog> log)
      : WrappedStore(std::move(inner)), log_(std::move(log)) {}

  Result<std::unique_ptr<Session>> open_probe_session() override { return wrapped(inner_->open_probe_session()); }

 private:
  std::unique_ptr<Session> wrap(std::unique_ptr<Session> session) override {
    return std::make_unique<LoggedSession>(std::move(session), inner_->root(), log_->open_channel());
  }

  const std::shared_ptr<OpLog> log_;
};

}  // namespace

std::unique_ptr<Store> open_logged_store(std::unique_ptr<Store> inner, std::shared_ptr<OpLog> log) {
  return std::make_unique<LoggedStore>(std::move(inner), std::move(log));
}

}  // namespace mlps::storage
