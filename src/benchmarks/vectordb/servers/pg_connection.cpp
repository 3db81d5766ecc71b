#include "benchmarks/vectordb/servers/pg_connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"

namespace mlps::vectordb {
namespace {

constexpr Nanos kPgLookNs = 100'000'000;  // at stop(), while the server works
constexpr size_t kShownSql = 80;

std::string shown(const std::string& sql) {
  return sql.size() <= kShownSql ? sql : sql.substr(0, kShownSql) + "...";
}

std::string one_line(std::string_view text) {
  return printable(trimmed(text));
}

ErrorCode code_of(const char* state) {
  const std::string_view code = state == nullptr ? "" : state;
  if (code.starts_with("08") || code == "57P01" || code == "57P02" || code == "57P03") {
    return ErrorCode::kStorageUnreachable;
  }
  if (code.starts_with("28") || code == "42501") return ErrorCode::kStorageDenied;
  if (code == "42P01" || code == "3D000") return ErrorCode::kStorageNotFound;
  if (code == "53100") return ErrorCode::kStorageFull;
  return ErrorCode::kCommandFailed;
}

template <class Number>
void append_number(Number value, std::string& bytes) {
  for (int shift = 8 * (static_cast<int>(sizeof(Number)) - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

}  // namespace

void PgBytes::number16(uint16_t value) {
  append_number(value, bytes_);
}
void PgBytes::number32(uint32_t value) {
  append_number(value, bytes_);
}
void PgBytes::number64(uint64_t value) {
  append_number(value, bytes_);
}
void PgBytes::vector(std::span<const float> row) {
  number16(static_cast<uint16_t>(row.size()));
  number16(0);
  const size_t at = bytes_.size();
  bytes_.resize(at + row.size() * sizeof(float));
  for (size_t i = 0; i < row.size(); ++i) {
    const uint32_t swapped = __builtin_bswap32(std::bit_cast<uint32_t>(row[i]));
    std::memcpy(bytes_.data() + at + i * sizeof(float), &swapped, sizeof(float));
  }
}

uint64_t PgAnswer::number64(int row, int column) const {
  const std::string_view bytes = value(row, column);
  uint64_t number = 0;
  if (bytes.size() != sizeof(number)) return 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return __builtin_bswap64(number);
}
double PgAnswer::real64(int row, int column) const {
  return std::bit_cast<double>(number64(row, column));
}

Result<std::unique_ptr<PgConnection>> PgConnection::open(const ServerAddress& server, const std::atomic<bool>* stop) {
  const std::string port = std::to_string(server.port);
  const auto text = [](const std::string& value, const char* usual) { return value.empty() ? usual : value.c_str(); };
  const std::array keys = {"host",    "port",        "dbname",
                           "user",    "password",    "application_name",
                           "sslmode", "sslrootcert", static_cast<const char*>(nullptr)};
  const std::array values = {server.host.c_str(),
                             port.c_str(),
                             text(server.database, "postgres"),
                             text(server.user, "postgres"),
                             text(server.secret, ""),
                             "mlpstorage",
                             server.tls ? "verify-full" : "disable",
                             text(server.ca_file, server.tls ? "system" : ""),
                             static_cast<const char*>(nullptr)};
  PGconn* connection = PQconnectStartParams(keys.data(), values.data(), 0);
  if (connection == nullptr) return fail(ErrorCode::kInternal, "libpq has no memory for a connection");
  std::unique_ptr<PgConnection> opened(new PgConnection(server, connection, stop));
  if (Status connected = opened->connect(); !connected) return fail(connected.error());
  return opened;
}

Status PgConnection::connect() {
  const std::string what = fmt::format("connect to PostgreSQL at {}:{}", server_.host, server_.port);
  const Nanos limit = deadline();
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED || PQstatus(connection_) == CONNECTION_BAD) {
      const std::string words = one_line(PQerrorMessage(connection_));
      const bool refused = words.find("authentication") != std::string::npos || words.find("role") != std::string::npos;
      return fail(refused ? ErrorCode::kStorageDenied : ErrorCode::kStorageUnreachable,
                  fmt::format("{}: {}", what, words), {}, "check --host, --port, --user and PGVECTOR__PASSWORD");
    }
    if (Status ready = wait(state == PGRES_POLLING_WRITING, limit); !ready) {
      ready.error().message = fmt::format("{}: {}", what, ready.error().message);
      return ready;
    }
    state = PQconnectPoll(connection_);
  }
  PQsetnonblocking(connection_, 1);
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  return {};
}

/// Waits until the socket can be read, or written, in short steps in which stop() is looked at.
Status PgConnection::wait(bool to_write, Nanos deadline_ns) {
  while (true) {
    if (is_stopped()) return fail(ErrorCode::kInterrupted, "the run is being stopped");
    const Nanos now = now_ns();
    if (now >= deadline_ns) {
      return fail(ErrorCode::kTimeout, fmt::format("no answer within {} s", server_.timeout_s), {},
                  "raise --request-timeout if the server needs so long");
    }
    pollfd descriptor{PQsocket(connection_), static_cast<int16_t>(POLLIN | (to_write ? POLLOUT : 0)), 0};
    if (poll_until({&descriptor, 1}, std::min(deadline_ns, now + kPgLookNs)) != 0) return {};
  }
}

/// Tells the server to end what it does, and leaves the connection in no state to be used again.
void PgConnection::give_up() {
  if (PGcancel* cancel = PQgetCancel(connection_)) {
    std::array<char, 256> words = {};
    (void)PQcancel(cancel, words.data(), words.size());
    PQfreeCancel(cancel);
  }
  stopped_ = true;
}

Error PgConnection::error(const std::string& what, const PGresult* result) const {
  const char* words = result == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(result);
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool lost = PQstatus(connection_) == CONNECTION_BAD;
  return {lost ? ErrorCode::kStorageUnreachable : code_of(state),
          fmt::format("PostgreSQL at {}:{}: {}: {}", server_.host, server_.port, shown(what), one_line(words)),
          state == nullptr ? std::string() : fmt::format("SQLSTATE {}", state)};
}

Status PgConnection::flush(Nanos deadline_ns) {
  while (true) {
    const int left = PQflush(connection_);
    if (left < 0) return fail(error("send", nullptr));
    if (left == 0) return {};
    if (Status ready = wait(true, deadline_ns); !ready) return ready;
    if (PQconsumeInput(connection_) == 0) return fail(error("send", nullptr));
  }
}

Status PgConnection::wait_for_answer(const std::string& what, Nanos deadline_ns,
                                     const std::function<Status()>& while_waiting) {
  const auto interval = static_cast<Nanos>(server_.interval_s * 1e9);
  Nanos look = now_ns() + interval;
  while (PQisBusy(connection_) != 0) {
    if (Status ready = wait(false, while_waiting ? look : deadline_ns); !ready) {
      if (while_waiting && ready.error().code == ErrorCode::kTimeout) {
        look = now_ns() + interval;
        if (Status going = while_waiting(); going)
          continue;
        else
          ready = going;
      }
      give_up();
      ready.error().message =
          fmt::format("PostgreSQL at {}:{}: {}: {}", server_.host, server_.port, shown(what), ready.error().message);
      return ready;
    }
    if (PQconsumeInput(connection_) == 0) return fail(error(what, nullptr));
  }
  return {};
}

Result<PgAnswer> PgConnection::last_answer(const std::string& what, const std::function<Status()>& while_waiting) {
  const Nanos limit = deadline();
  std::optional<PgAnswer> last;
  std::optional<Error> problem;
  while (true) {
    if (Status there = wait_for_answer(what, limit, while_waiting); !there) return fail(there.error());
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!problem) problem = error(what, result);
    }
    last.emplace(result);
    if (status == PGRES_COPY_IN) break;
    if (PQstatus(connection_) == CONNECTION_BAD) break;
  }
  if (problem) return fail(std::move(*problem));
  if (!last) return fail(error(what, nullptr));
  return std::move(*last);
}

Result<PgAnswer> PgConnection::run(const std::string& sql, const std::function<Status()>& while_waiting) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) return fail(error(sql, nullptr));
  if (Status sent = flush(deadline()); !sent) return fail(sent.error());
  return last_answer(sql, while_waiting);
}

Status PgConnection::prepare(const std::string& name, const std::string& sql) {
  if (PQsendPrepare(connection_, name.c_str(), sql.c_str(), 0, nullptr) == 0) return fail(error(sql, nullptr));
  if (Status sent = flush(deadline()); !sent) return sent;
  const auto answer = last_answer(sql, {});
  return answer ? Status() : Status(fail(answer.error()));
}

Result<std::vector<PgAnswer>> PgConnection::run_prepared(const std::string& name, std::span<const Parameters> sets) {
  const Nanos limit = deadline();
  if (PQenterPipelineMode(connection_) == 0) return fail(error(name, nullptr));
  for (const Parameters& parameters : sets) {
    std::vector<const char*> values;
    std::vector<int> lengths, formats(parameters.size(), 1);
    for (const std::string_view each : parameters) {
      values.push_back(each.data());
      lengths.push_back(static_cast<int>(each.size()));
    }
    const int sent = PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()), values.data(),
                                         lengths.data(), formats.data(), 1);
    if (sent == 0) return fail(error(name, nullptr));
  }
  if (PQpipelineSync(connection_) == 0) return fail(error(name, nullptr));
  if (Status sent = flush(limit); !sent) return fail(sent.error());
  std::vector<PgAnswer> answers;
  std::optional<Error> problem;
  for (bool synced = false; !synced;) {
    if (Status there = wait_for_answer("search", limit, {}); !there) return fail(there.error());
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) {
      if (PQstatus(connection_) == CONNECTION_BAD) return fail(error("search", nullptr));
      continue;  // the end of one statement's answers
    }
    PgAnswer answer(result);
    const ExecStatusType status = PQresultStatus(result);
    synced = status == PGRES_PIPELINE_SYNC;
    if (status == PGRES_TUPLES_OK) answers.push_back(std::move(answer));
    if (status == PGRES_FATAL_ERROR && !problem) problem = error("search", result);
  }
  (void)PQexitPipelineMode(connection_);
  if (problem) return fail(std::move(*problem));
  if (answers.size() == sets.size()) return answers;
  return fail(ErrorCode::kStorageProtocol, fmt::format("PostgreSQL at {}:{} answered {} of {} searches", server_.host,
                                                       server_.port, answers.size(), sets.size()));
}

Status PgConnection::copy(const std::string& sql, std::string_view data) {
  const Nanos limit = deadline();
  if (auto ready = run(sql); !ready) return fail(ready.error());
  while (!data.empty()) {
    const size_t piece = std::min<size_t>(data.size(), size_t{1} << 20);
    const int taken = PQputCopyData(connection_, data.data(), static_cast<int>(piece));
    if (taken < 0) return fail(error(sql, nullptr));
    if (taken > 0) data.remove_prefix(piece);
    if (Status sent = flush(limit); !sent) return sent;
  }
  while (true) {
    const int ended = PQputCopyEnd(connection_, nullptr);
    if (ended < 0) return fail(error(sql, nullptr));
    if (ended > 0) break;
    if (Status sent = flush(limit); !sent) return sent;
  }
  if (Status sent = flush(limit); !sent) return sent;
  const auto answer = last_answer(sql, {});
  return answer ? Status() : Status(fail(answer.error()));
}

std::string PgConnection::version() const {
  const char* text = PQparameterStatus(connection_, "server_version");
  return text == nullptr ? std::string() : text;
}

}  // namespace mlps::vectordb
