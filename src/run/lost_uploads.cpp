#include "run/lost_uploads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace mlps::run {
namespace {

// The other processes wait for the end of the job meanwhile, with a limit.
constexpr Nanos kLimitNs = 10'000'000'000;

bool may_have_uploads(const storage::Store& store) {
  const storage::StoreTraits traits = store.traits();
  return traits.holds_objects && !traits.file_system;
}

std::vector<std::string> hosts_of(const std::vector<uint32_t>& processes, const world::Transport& transport) {
  std::vector<std::string> hosts;
  for (const uint32_t process : processes) {
    const std::string& host = transport.members()[process].host;
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

void abort_uploads(storage::Store& store, const std::string& prefix, const storage::NameFilter& is_meant,
                   LostUploads& lost) {
  const Nanos deadline = now_ns() + kLimitNs;
  Result<uint64_t> aborted;
  if (auto session = store.open_session(1)) {
    aborted = (*session)->abort_uploads(prefix, is_meant, deadline);
  } else {
    aborted = fail(std::move(session.error()));
  }
  if (aborted) {
    lost.aborted = *aborted;
  } else {
    lost.error = std::move(aborted.error());
  }
}

}  // namespace

std::optional<std::string> LostUploads::warning() const {
  if (hosts.empty() || (aborted == 0 && !error)) return std::nullopt;
  const bool one = hosts.size() == 1;
  const std::string who = fmt::format("{} {}", one ? "host" : "hosts", join(hosts, ", "));
  if (error) return fmt::format("uploads of {} may be open: {}", who, render(*error));
  return fmt::format("{} {} gone: {} {} {} had left open {} aborted", who, one ? "is" : "are", aborted,
                     aborted == 1 ? "upload that" : "uploads that", one ? "it" : "they", aborted == 1 ? "was" : "were");
}

LostUploads abort_uploads_of_lost(world::Transport& transport, storage::Store& store, const std::string& prefix,
                                  const NamesOfProcesses& names) {
  LostUploads lost;
  if (!may_have_uploads(store)) return lost;
  const std::vector<uint32_t> gone = world::processes_to_clean_up_for(transport);
  if (gone.empty()) return lost;
  lost.hosts = hosts_of(gone, transport);
  abort_uploads(store, prefix, names(gone), lost);
  return lost;
}

LostUploads abort_all_uploads_after_loss(world::Transport& transport, storage::Store& store) {
  const auto all = [](const std::vector<uint32_t>&) { return [](std::string_view) { return true; }; };
  return abort_uploads_of_lost(transport, store, "", all);
}

}  // namespace mlps::run
