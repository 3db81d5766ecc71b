#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "benchmarks/vectordb/settings.hpp"

namespace mlps::vectordb {

/// Bytes for a binary message of PostgreSQL: numbers stand in it with the highest byte first.
class PgBytes {
 public:
  void number16(uint16_t value);
  void number32(uint32_t value);
  void number64(uint64_t value);
  /// Appends a value of type vector: dimension, a zero, and the elements.
  void vector(std::span<const float> row);
  void text(std::string_view value) { bytes_.append(value); }
  void clear() { bytes_.clear(); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// The answer to one statement.
class PgAnswer {
 public:
  explicit PgAnswer(PGresult* result) : result_(result) {}
  int rows() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  /// Returns the value as it was sent: text, or the bytes of a binary answer.
  std::string_view value(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  /// Returns a number of a binary answer; 0 if it has another size.
  uint64_t number64(int row, int column) const;
  double real64(int row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// One connection to PostgreSQL that never blocks without a deadline. Used by one thread at a time, except stop().
/// Errors hold the server's words: E601 no connection, E602 refused, E603 no such table, E607 full, E202 no answer in
/// time, E203 after stop(), else E201.
class PgConnection {
 public:
  static Result<std::unique_ptr<PgConnection>> open(const ServerAddress& server,
                                                    const std::atomic<bool>* stop = nullptr);
  ~PgConnection() { PQfinish(connection_); }
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  /// Runs one statement and returns its last answer, in text. `while_waiting` is called about every `interval_s` until
  /// the answer is there; the time limit of a request counts only without it.
  Result<PgAnswer> run(const std::string& sql, const std::function<Status()>& while_waiting = {});

  /// Prepares a statement under a name.
  Status prepare(const std::string& name, const std::string& sql);

  /// Runs a prepared statement once for each set of parameters, all in one round trip; parameters and answers are
  /// binary. Fails as a whole.
  using Parameters = std::vector<std::string_view>;
  Result<std::vector<PgAnswer>> run_prepared(const std::string& name, std::span<const Parameters> sets);

  /// Sends `data` to a COPY statement.
  Status copy(const std::string& sql, std::string_view data);

  /// Makes what runs, and everything later, end soon with E203. Any thread may call it.
  void stop() { stopped_ = true; }

  std::string version() const;  ///< of the server, "16.14"

 private:
  PgConnection(const ServerAddress& server, PGconn* connection, const std::atomic<bool>* stop)
      : server_(server), connection_(connection), stop_(stop) {}

  bool is_stopped() const { return stopped_ || (stop_ != nullptr && *stop_); }
  Nanos deadline() const { return now_ns() + static_cast<Nanos>(server_.timeout_s * 1e9); }
  Status connect();
  Status wait(bool to_write, Nanos deadline_ns);
  Status flush(Nanos deadline_ns);
  Result<PgAnswer> last_answer(const std::string& what, const std::function<Status()>& while_waiting);
  Status wait_for_answer(const std::string& what, Nanos deadline_ns, const std::function<Status()>& while_waiting);
  Error error(const std::string& what, const PGresult* result) const;
  void give_up();

  const ServerAddress& server_;
  PGconn* connection_;
  const std::atomic<bool>* stop_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace mlps::vectordb
