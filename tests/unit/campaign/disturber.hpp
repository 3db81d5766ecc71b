#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services.hpp"

namespace mlps::test {

/// A way in which an answer can be wrong.
struct FaultKind {
  enum class When { kBefore, kAfter, kEither };  ///< the request is carried out: in place of it, or nevertheless

  const char* name;
  When when;
  Reply reply = {};  ///< its fault, status and headers; the body is the protocol's own
  /// The protocol's code for it, by Protocol; null where the protocol has no such error. Unused without status.
  std::array<const char*, kProtocols> codes = {};
  bool (*fits)(const Request& request, const Asked& asked) = nullptr;  ///< null: every request
  const char* cause = nullptr;  ///< as a failure without status is counted; null with `status` 200: it is none
};

/// The kinds of a protocol, those first that are failures.
std::vector<const FaultKind*> fault_kinds(Protocol protocol);
bool is_failure(const FaultKind& kind);

/// Counts of failures at each port by cause.
using Causes = std::map<std::pair<size_t, std::string>, uint64_t>;

/// Decides for every request of a service what goes wrong with it: by a seed, the request and how often that was asked
/// for, so that the same happens in every run, whichever thread is faster. Counts what it did. Its functions are called
/// with the server's lock held, those that say so excepted.
class Disturber {
 public:
  Disturber(Service& service, uint64_t seed);

  /// Has the server ask it. Before the first request.
  void attach();

  // Without the lock:
  /// Whether requests that look at the bucket are disturbed: not while the client may look at it on its own.
  void disturb_bucket(bool whether);
  /// From now on everything that comes by a port goes wrong in one way.
  void break_port(size_t port, const FaultKind& kind);
  /// From now on every request of a kind goes wrong in one way, and nothing else does.
  void always(const FaultKind& kind, std::string request_kind, bool after);
  void never();

  /// What happened so far.
  struct Tally {
    Causes causes;                                                ///< that the client must count
    Causes early;                                                 ///< answers to half of a body: they may get lost
    std::map<size_t, uint64_t> leftovers;                         ///< by port, which may be counted or not
    std::map<std::pair<std::string, std::string>, uint64_t> met;  ///< by name of the fault and kind of request
    uint64_t failures = 0;
    std::string story;  ///< one line for each
  };
  Tally tally() const;

 private:
  enum class Mode { kAtRandom, kAlways, kNever };
  struct Track {
    uint64_t times = 0;
    unsigned in_a_row = 0;
    const FaultKind* pending = nullptr;  ///< after it is carried out
  };

  std::optional<Reply> before(const Request& request);
  void after(const Request& request, Reply& own);
  const FaultKind* choose(const Request& request, const Asked& asked, Track& track, bool& after);
  Reply reply_of(const FaultKind& kind) const;
  void count(const FaultKind& kind, const Request& request, const Asked& asked, bool after);

  Service& service_;
  const uint64_t seed_;
  const std::vector<const FaultKind*> kinds_;
  Mode mode_ = Mode::kAtRandom;
  bool bucket_ = false;
  std::optional<std::pair<size_t, const FaultKind*>> broken_;
  const FaultKind* always_ = nullptr;
  std::string always_at_;
  bool always_after_ = false;
  std::map<std::string, Track> tracks_;
  Tally tally_;
};

/// Mixes two numbers to a third one that looks random.
uint64_t mixed(uint64_t a, uint64_t b);

}  // namespace mlps::test
