#include "benchmarks/training/generate_journal.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/clock.hpp"

namespace mlps::training {
namespace {

using nlohmann::json;

constexpr int kJournalVersion = 1;

tl::unexpected<Error> corrupt(std::string why) {
  return fail(ErrorCode::kInvalidStructure, fmt::format("{} is not readable: {}", kJournalName, std::move(why)), {},
              "it says how far an unfinished data set is; without it the set can't be continued: remove the folder and "
              "generate again");
}

}  // namespace

std::string journal_text(const Journal& journal) {
  const json text = {{"schema_version", kJournalVersion},
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
  if (*version != kJournalVersion) {
    return corrupt(fmt::format("schema_version is {}, {} is known", version->dump(), kJournalVersion));
  }
  for (const char* key : {"shape", "updated_at"}) {
    const auto value = parsed.find(key);
    if (value == parsed.end() || !value->is_string()) return corrupt(fmt::format("{} is no string", key));
  }
  const auto whole = parsed.find("whole_files");
  if (whole == parsed.end() || !whole->is_number_unsigned()) return corrupt("whole_files is no number from 0 on");
  return Journal{parsed["shape"], *whole, parsed["updated_at"]};
}

Result<std::unique_ptr<JournalWriter>> JournalWriter::open(std::string shape, storage::Store& store) {
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  return std::unique_ptr<JournalWriter>(new JournalWriter(std::move(shape), std::move(*session)));
}

Status JournalWriter::write(uint64_t whole_files) {
  const std::string text = journal_text({shape_, whole_files, iso_utc(Stamp::now().wall_us)});
  return session_->put(kJournalName, std::as_bytes(std::span(text)));
}

}  // namespace mlps::training
