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

}  // namespace

int64_t renewal_time(int64_t ends, int64_t now) {
  return std::max({ends - kLeadSeconds, now + (ends - now) / 2, now + 1});
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
