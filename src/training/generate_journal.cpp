#include "training/generate_journal.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

namespace mlps::training {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;

tl::unexpected<Error> corrupt(std::string why) {
  return fail(ErrorCode::kInvalidStructure, fmt::format("{} is not readable: {}", kJournalName, std::move(why)), {},
              "it says how far an unfinished data set is; without it the set can't be continued: remove the folder and "
              "generate again");
}

}  // namespace

std::string journal_text(const Journal& journal) {
  const json text = {{"schema_version", kSchemaVersion},
                     {"shape", journal.shape},
                     {"updated_at", journal.updated_at},
                     {"whole_files", journal.whole_files}};
  return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Journal> parse_journal(std::string_view text) {
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return corrupt("no JSON object");
  const auto version = parsed.find("schema_version");
  if (version == parsed.end() || !version->is_number_integer()) return corrupt("schema_version is missing");
  if (*version != kSchemaVersion) {
    return corrupt(fmt::format("schema_version is {}, {} is known", version->dump(), kSchemaVersion));
  }
  for (const char* key : {"shape", "updated_at"}) {
    const auto value = parsed.find(key);
    if (value == parsed.end() || !value->is_string()) return corrupt(fmt::format("{} is no string", key));
  }
  const auto whole = parsed.find("whole_files");
  if (whole == parsed.end() || !whole->is_number_unsigned()) return corrupt("whole_files is no number from 0 on");
  return Journal{parsed["shape"], *whole, parsed["updated_at"]};
}

Result<std::unique_ptr<Journalist>> Journalist::start(const Settings& settings, const CommitWindow& window,
                                                      storage::Store& store, world::Failure& failure) {
  std::unique_ptr<Journalist> journalist(new Journalist(settings, window, store, failure));
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  journalist->session_ = std::move(*session);
  if (Status written = journalist->write(window.watermark()); !written) return fail(written.error());
  try {
    journalist->thread_ = std::thread([raw = journalist.get()] { raw->keep(); });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::kInternal, fmt::format("can't start the journal's thread: {}", error.what()), {},
                "raise the limit of threads (ulimit -u)");
  }
  journalist->on_raise_ = failure.on_raise([raw = journalist.get()] {
    raw->session_->cancel();
    const std::lock_guard lock(raw->mutex_);
    raw->stopping_ = true;
    raw->changed_.notify_all();
  });
  return journalist;
}

void Journalist::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Journalist::keep() {
  uint64_t written = 0;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::nanoseconds(settings_.interval_ns), [&] { return stopping_; })) {
    lock.unlock();
    const uint64_t whole = window_.watermark();
    if (whole != written) {
      // What is said to be whole must be there after a crash, too: flush first.
      Status kept = store_.flush();
      if (kept) kept = write(whole);
      if (!kept) return failure_.raise(std::move(kept.error()));
      written = whole;
    }
    lock.lock();
  }
}

Status Journalist::write(uint64_t whole_files) {
  const std::string text = journal_text({settings_.shape, whole_files, iso_utc(Stamp::now().wall_us)});
  return session_->put(kJournalName, std::as_bytes(std::span(text)));
}

}  // namespace mlps::training
