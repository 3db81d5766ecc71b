#include "gates/claim.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"
#include "storage/probe_name.hpp"
#include "world/host_facts.hpp"
#include "world/proc_text.hpp"

namespace mlps::gates {
namespace {

constexpr Nanos kPatience = 2'000'000'000;
constexpr Nanos kLookAgain = 50'000'000;
constexpr uint64_t kMostBytes = 64 << 10;
constexpr int kMostPuts = 5;

/// The process that a claim stands for: enough to tell whether it still runs, on its own machine.
struct Claimant {
  std::string host, machine, boot, pids, pid, start, command, since;
};

/// The lines of a claim, in their order.
constexpr auto kLines =
    std::to_array<std::pair<const char*, std::string Claimant::*>>({{"host", &Claimant::host},
                                                                    {"machine", &Claimant::machine},
                                                                    {"boot", &Claimant::boot},
                                                                    {"pid namespace", &Claimant::pids},
                                                                    {"pid", &Claimant::pid},
                                                                    {"start", &Claimant::start},
                                                                    {"command", &Claimant::command},
                                                                    {"since", &Claimant::since}});

std::string line_of(const std::string& path) {
  return std::string(trimmed(world::read_text(path).value_or("")));
}

/// Returns when a process started, in ticks after the start of the machine; empty if it isn't there.
std::string start_of(const std::string& pid) {
  constexpr size_t kStartWord = 19;  // after the name in parentheses, which may hold anything
  const std::string text = line_of("/proc/" + pid + "/stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  const auto words = world::words_of(std::string_view(text).substr(name_end + 1));
  return words.size() > kStartWord ? std::string(words[kStartWord]) : std::string();
}

std::string own_pid_namespace() {
  std::array<char, 64> text{};
  const ssize_t length = ::readlink("/proc/self/ns/pid", text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : std::string();
}

Claimant this_process(const std::string& command) {
  Claimant me;
  me.host = world::host_name();
  me.machine = line_of("/etc/machine-id");
  me.boot = line_of("/proc/sys/kernel/random/boot_id");
  me.pids = own_pid_namespace();
  me.pid = std::to_string(::getpid());
  me.start = start_of("self");
  me.command = command;
  std::replace(me.command.begin(), me.command.end(), '\n', ' ');
  me.since = iso_utc(Stamp::now().wall_us);
  return me;
}

std::string text_of(const Claimant& claimant) {
  std::string text;
  for (const auto& [name, member] : kLines) text += fmt::format("{}: {}\n", name, claimant.*member);
  return text;
}

Claimant parse(std::span<const std::byte> bytes) {
  Claimant claimant;
  for (auto& [name, value] : world::parse_pairs({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
    for (const auto& [known, member] : kLines) {
      if (name == known) claimant.*member = value;
    }
  }
  return claimant;
}

bool is_same_machine(const Claimant& a, const Claimant& b) {
  return !a.boot.empty() && a.host == b.host && a.machine == b.machine;
}

/// Returns whether the process has surely ended.
bool is_gone(const Claimant& claimant, const Claimant& me) {
  if (!is_same_machine(claimant, me)) return false;
  if (claimant.boot != me.boot) return true;
  return claimant.pids == me.pids && !claimant.start.empty() && start_of(claimant.pid) != claimant.start;
}

struct Claim {
  std::string name;
  Claimant claimant;
};

/// Returns the claims of processes that may run, in the order of their names; removes the others.
Result<std::vector<Claim>> living_claims(storage::Session& session) {
  const Claimant me = this_process({});
  std::vector<Claim> claims;
  std::string continuation;
  do {
    const auto page = session.list(std::string(storage::kClaims) + "/", continuation);
    if (!page) return fail(page.error());
    for (const storage::ObjectInfo& info : page->objects) {
      const auto bytes = get_whole(session, info.name, kMostBytes);
      if (!bytes && bytes.error().code == ErrorCode::kStorageNotFound) continue;  // given up meanwhile
      if (!bytes) return fail(bytes.error());
      Claim claim{info.name, parse(*bytes)};
      if (!is_gone(claim.claimant, me)) {
        claims.push_back(std::move(claim));
      } else if (session.remove(claim.name)) {
        log::info("removed the claim of process {}, which has ended without giving the folder up", claim.claimant.pid);
      }
    }
    continuation = page->next;
  } while (!continuation.empty());
  std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.name < b.name; });
  return claims;
}

Error claimed(const storage::Store& store, const Claim& claim) {
  const Claimant& other = claim.claimant;
  Error error{ErrorCode::kInvalidStructure,
              fmt::format("{} is in use: process {} on host {} has been writing there since {}",
                          store.root().to_string(), other.pid, other.host, other.since),
              other.command, "wait for it, or give another folder"};
  if (!is_same_machine(other, this_process({}))) {
    error.suggestion += fmt::format("; if that process runs no longer, which can't be seen from here, remove {}",
                                    store.root().join(claim.name).to_string());
  }
  return error;
}

/// Puts a claim. The folder of all claims may be removed by whoever gives up the last one, at any moment.
Status put_claim(storage::Session& session, const std::string& name, const std::string& text) {
  Status put;
  for (int attempt = 0; attempt < kMostPuts; ++attempt) {
    put = session.put(name, std::as_bytes(std::span(text)));
    if (put || put.error().code != ErrorCode::kPathNotFound) break;
  }
  return put;
}

/// Returns the first claim of another that stays. Of claims that were put at one moment that with the least name stays,
/// and waits for the others to be given up.
Result<std::optional<Claim>> rival_of(const std::string& name, storage::Session& session,
                                      const world::Failure& failure) {
  const Nanos begin = now_ns();
  for (;;) {
    auto claims = living_claims(session);
    if (!claims) return fail(claims.error());
    std::erase_if(*claims, [&](const Claim& claim) { return claim.name == name; });
    if (claims->empty()) return std::nullopt;
    const bool waits = name < claims->front().name && now_ns() - begin < kPatience && !failure.raised();
    if (!waits) return std::move(claims->front());
    sleep_for(kLookAgain);
  }
}

}  // namespace

Status look_for_claims(storage::Store& store) {
  if (!store.traits().holds_objects) return {};
  const auto session = store.open_session(1);
  if (!session) return fail(session.error());
  const auto claims = living_claims(**session);
  if (!claims) return fail(claims.error());
  if (!claims->empty()) return fail(claimed(store, claims->front()));
  return {};
}

Result<std::unique_ptr<FolderClaim>> FolderClaim::take(storage::Store& store, const std::string& what,
                                                       const world::Failure& failure) {
  if (!store.traits().holds_objects) return nullptr;
  if (Status free = look_for_claims(store); !free) return fail(free.error());
  auto session = store.open_session(1);
  if (!session) return fail(session.error());
  const std::string name = fmt::format("{}/.{}", storage::kClaims, storage::random_suffix());
  std::unique_ptr<FolderClaim> claim(new FolderClaim(store, std::move(*session), name));
  if (Status put = put_claim(*claim->session_, name, text_of(this_process(what))); !put) return fail(put.error());
  const auto rival = rival_of(name, *claim->session_, failure);
  if (!rival) return fail(rival.error());
  if (*rival) return fail(claimed(store, **rival));
  return claim;
}

Status claim_folder(storage::Store& store, bool writes, const std::string& what, const world::Failure& failure,
                    std::unique_ptr<FolderClaim>& claim) {
  if (!writes) return look_for_claims(store);
  auto taken = FolderClaim::take(store, what, failure);
  if (!taken) return fail(taken.error());
  claim = std::move(*taken);
  return {};
}

FolderClaim::~FolderClaim() {
  if (Status removed = session_->remove(name_); !removed) {
    log::warning("the claim of the folder stays: {}", removed.error().message);
  }
  // Best effort: the folder stays as long as others have claims in it.
  if (store_.traits().file_system) ::rmdir(store_.root().join(storage::kClaims).path().c_str());
}

}  // namespace mlps::gates
