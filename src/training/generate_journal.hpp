#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/store.hpp"
#include "training/generate_window.hpp"
#include "world/world.hpp"

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

/// Keeps the journal of a data set up to date while it is written, from a thread and with a session of its own, so that
/// no writer ever waits for it. What it cannot write fails the world.
class Journalist {
 public:
  struct Settings {
    std::string shape;
    Nanos interval_ns = 0;
  };
  /// The first journal is written when this returns. Store, window and failure must live longer.
  static Result<std::unique_ptr<Journalist>> start(const Settings& settings, const CommitWindow& window,
                                                   storage::Store& store, world::Failure& failure);
  ~Journalist() { stop(); }
  Journalist(const Journalist&) = delete;
  Journalist& operator=(const Journalist&) = delete;

  /// The journal stays as it is from now on.
  void stop();

 private:
  Journalist(const Settings& settings, const CommitWindow& window, storage::Store& store, world::Failure& failure)
      : settings_(settings), window_(window), store_(store), failure_(failure) {}

  void keep();
  Status write(uint64_t whole_files);

  const Settings settings_;
  const CommitWindow& window_;
  storage::Store& store_;
  world::Failure& failure_;
  std::unique_ptr<storage::Session> session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
  world::Failure::Subscription on_raise_;
};

}  // namespace mlps::training
