#include "storage/object/credentials.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/text.hpp"

namespace mlps::object {
namespace {

constexpr int64_t kLeadSeconds = 600;
// A clock that is set, or a host that slept, shows within this time.
constexpr Nanos kLookAgain = 30'000'000'000;
constexpr int64_t kLongestPauseSeconds = 30;
// While renewals fail, one in so many is told, which with the longest pause is one in five minutes.
constexpr unsigned kToldFailures = 10;

std::optional<int64_t> number_at(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  const std::string_view part = text.substr(at, digits);
  if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return parse_number<int64_t>(part);
}

/// Returns the seconds that an offset like "+02:00" is ahead of UTC; "Z" is 0.
std::optional<int64_t> offset_of(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = number_at(text, 1, 2), minutes = number_at(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

}  // namespace

int64_t renewal_time(int64_t ends, int64_t now) {
  return std::max({ends - kLeadSeconds, now + (ends - now) / 2, now + 1});
}

std::optional<int64_t> parse_iso_time(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return std::nullopt;
  }
  std::string_view rest = text.substr(kShape.size());
  if (rest.front() == '.') rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  const auto offset = offset_of(rest);
  tm utc = {};
  utc.tm_year = static_cast<int>(*number_at(text, 0, 4)) - 1900;
  utc.tm_mon = static_cast<int>(*number_at(text, 5, 2)) - 1;
  utc.tm_mday = static_cast<int>(*number_at(text, 8, 2));
  utc.tm_hour = static_cast<int>(*number_at(text, 11, 2));
  utc.tm_min = static_cast<int>(*number_at(text, 14, 2));
  utc.tm_sec = static_cast<int>(*number_at(text, 17, 2));
  const bool good = utc.tm_mon >= 0 && utc.tm_mon < 12 && utc.tm_mday >= 1 && utc.tm_mday <= 31 && utc.tm_hour < 24 &&
                    utc.tm_min < 60 && utc.tm_sec <= 60;
  if (!good || !offset) return std::nullopt;
  return timegm(&utc) - *offset;
}

Status Renewal::follow(const Result<std::optional<int64_t>>& outcome) {
  const std::lock_guard lock(mutex_);
  take(outcome);
  changed_.notify_all();
  if (!due_ || stopping_ || thread_.running()) return {};
  auto started = Threads::start(1, {.name = "renewals of credentials"}, [this](size_t) { run(); });
  if (!started) return fail(std::move(started.error()));
  thread_ = std::move(*started);
  return {};
}

void Renewal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::string Renewal::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Renewal::run() {
  while (!stopping_) {
    {
      std::unique_lock lock(mutex_);
      const Nanos left = due_ ? (*due_ - time(nullptr)) * 1'000'000'000 : kLookAgain;
      changed_.wait_until(lock, now_ns() + std::min(left, kLookAgain), [this] { return stopping_.load(); });
      if (stopping_ || !due_ || time(nullptr) < *due_) continue;
    }
    const auto outcome = renew_();
    const std::lock_guard lock(mutex_);
    if (!stopping_) take(outcome);
  }
}

void Renewal::take(const Result<std::optional<int64_t>>& outcome) {
  const int64_t now = time(nullptr);
  if (outcome) {
    if (failures_ != 0) log::info("The credentials from {} are renewed again.", source_);
    failures_ = 0;
    trouble_.clear();
    ends_ = *outcome;
    due_ = ends_ ? std::optional(renewal_time(*ends_, now)) : std::nullopt;
    return;
  }
  trouble_ = outcome.error().message;
  const int64_t pause = std::min(int64_t{1} << std::min(failures_, 10U), kLongestPauseSeconds);
  due_ = now + pause;
  if (failures_++ % kToldFailures != 0) return;
  std::string state = "the server refused the present ones";
  if (ends_) state = fmt::format("the present ones end in {} s", *ends_ - now);
  if (ends_ && *ends_ <= now) state = fmt::format("the present ones ended {} s ago", now - *ends_);
  log::warning("The credentials from {} can't be renewed: {}; {}. They are asked for again within {} s.", source_,
               trouble_, state, kLongestPauseSeconds);
}

}  // namespace mlps::object
