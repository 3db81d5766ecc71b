#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/kvcache/random.hpp"
#include "benchmarks/kvcache/workload.hpp"

namespace mlps::kvcache {

/// The key of an entry: of turn `turn` of conversation `number` of a user, or, with turn 0, of the request `number` of
/// a user without conversations.
struct EntryKey {
  uint32_t user = 0;
  uint32_t number = 0;
  uint32_t turn = 0;
  auto operator<=>(const EntryKey&) const = default;

  /// Returns the name of its file without folder and suffix: "conv_user_0003_7_turn_2", "user_0003_req_000007". The
  /// number stands where mlpstorage 3.0 has the time of day, so that two runs have the same names.
  std::string name() const;
};

/// One request, as its user sends it.
struct Request {
  EntryKey key;
  uint32_t serial = 0;                   ///< of the user's requests, from 0
  uint32_t context = 0, generation = 0;  ///< tokens
  Qos qos = Qos::kBatch;

  bool is_prefill_only() const { return context >= kPrefillOnlyTokens; }
  /// Returns how often the entry is read after the first time, to generate the tokens.
  uint32_t further_reads() const {
    const uint32_t batches = (generation + kDecodeBatch - 1) / kDecodeBatch;
    return batches == 0 ? 1 : batches;
  }
};

/// One user: a function of the seed and its index. Holds where its stream of requests has got to; 48 bytes.
class User {
 public:
  User(uint64_t seed, uint32_t index);

  Qos qos() const { return qos_; }
  Nanos think_ns() const { return think_ns_; }
  /// Returns how long the user waits before the next request.
  Nanos draw_wait();
  /// Returns the next request; the first one, and one after the end of a conversation, begins a new conversation.
  Request next(bool multi_turn);

 private:
  Random random_;
  Nanos think_ns_ = 0;
  uint32_t index_, context_ = 0, generation_ = 0;
  uint32_t serial_ = 0, conversation_ = 0, turn_ = 0;
  Qos qos_ = Qos::kBatch;
};

/// The records of the conversations of a rank: which turns there are. At most kMostConversations; the one that was used
/// longest ago is dropped for a new one, and begins anew if it goes on.
class Conversations {
 public:
  /// Takes note of a turn.
  void add(const EntryKey& key);
  /// Returns the keys of all turns known of the conversation of `key`, but `key` itself; none if the record is gone.
  std::vector<EntryKey> others(const EntryKey& key) const;

 private:
  struct Record {
    std::vector<uint32_t> turns;
    uint64_t used = 0;
  };
  using Id = std::pair<uint32_t, uint32_t>;  // user, number
  std::map<Id, Record> records_;
  std::set<std::pair<uint64_t, Id>> by_use_;
  uint64_t clock_ = 0;
};

}  // namespace mlps::kvcache
