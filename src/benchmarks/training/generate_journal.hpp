#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "storage/store.hpp"

namespace mlps::training {

inline constexpr const char* kJournalName = ".mlps-datagen-journal.json";

/// How far a data set is written. Stands at the root of the data folder while the set is unfinished.
struct Journal {
  std::string shape;         ///< shape_text() of the data set
  uint64_t whole_files = 0;  ///< from the front of the list [train..., eval...]: complete and durable
  std::string updated_at;    ///< UTC
};
std::string journal_text(const Journal& journal);      ///< JSON, sorted keys, indent 2
Result<Journal> parse_journal(std::string_view text);  ///< hostile input; E404 says what is wrong with it

/// Writes the journal of a data set, through a session of its own, so that no writer ever waits for it.
class JournalWriter {
 public:
  /// `store` must live longer.
  static Result<std::unique_ptr<JournalWriter>> open(std::string shape, storage::Store& store);

  /// The files [0, whole_files) are whole and durable. One thread.
  Status write(uint64_t whole_files);
  /// From any thread: a write under way ends soon with E203.
  void cancel() { session_->cancel(); }

 private:
  JournalWriter(std::string shape, std::unique_ptr<storage::Session> session)
      : shape_(std::move(shape)), session_(std::move(session)) {}

  const std::string shape_;
  const std::unique_ptr<storage::Session> session_;
};

}  // namespace mlps::training
