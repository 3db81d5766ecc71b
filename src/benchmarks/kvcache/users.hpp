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

/// What an entry is of.
enum class EntryKind : uint8_t {
  kRequest,  ///< of turn `turn` of conversation `number` of a user, or, with turn 0, of the user's request `number`
  kChunk,    ///< of chunk `number` of document `user`
  kContext,  ///< of what requests about document `user` have been told of it
  kPrepopulated,   ///< number `number` of those that are there before the window, to be read in it
  kPreconditioned  ///< likewise, to be evicted in it
};

struct EntryKey {
  uint32_t user = 0;
  uint32_t number = 0;
  uint32_t turn = 0;
  EntryKind kind = EntryKind::kRequest;
  auto operator<=>(const EntryKey&) const = default;

  /// Returns the name of its file without folder and suffix: "conv_user_0003_7_turn_2", "user_0003_req_000007",
  /// "rag_doc_0001_chunk_3", "rag_doc_0001", "prepop_000004", "precond_000004". The conversation's number stands where
  /// mlpstorage 3.0 has the time of day, so that two runs have the same names.
  std::string name() const;
};

/// One request, as its user sends it.
struct Request {
  EntryKey key;
  uint32_t serial = 0;                   ///< of the user's requests, from 0
  uint32_t context = 0, generation = 0;  ///< tokens
  Qos qos = Qos::kBatch;

  bool is_prefill_only() const { return context >= kPrefillOnlyTokens; }
  /// Returns how often the entry is read after the first time, once for each `batch` generated tokens.
  uint32_t further_reads(uint32_t batch) const {
    const uint32_t batches = generation / batch + (generation % batch == 0 ? 0 : 1);
    return batches == 0 ? 1 : batches;
  }
};

/// One user: a function of the seed and its index. Holds where its stream of requests has got to; 48 bytes.
class User {
 public:
  User(const Tuning& tuning, uint64_t seed, uint32_t index);

  Qos qos() const { return qos_; }
  Nanos think_ns() const { return think_ns_; }
  /// Returns how long the user waits before the next request.
  Nanos draw_wait();
  /// Returns the next request; the first one, and one after the end of a conversation, begins a new conversation.
  Request next(const Tuning& tuning, bool multi_turn);

 private:
  Random random_;
  Nanos think_ns_ = 0;
  uint32_t index_, context_ = 0, generation_ = 0;
  uint32_t serial_ = 0, conversation_ = 0, turn_ = 0;
  Qos qos_ = Qos::kBatch;
};

/// The records of the conversations of a rank: which turns there are. At most `most`; the one that was used longest ago
/// is dropped for a new one, and begins anew if it goes on.
class Conversations {
 public:
  explicit Conversations(uint32_t most) : most_(most) {}

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
  const uint32_t most_;
  std::map<Id, Record> records_;
  std::set<std::pair<uint64_t, Id>> by_use_;
  uint64_t clock_ = 0;
};

}  // namespace mlps::kvcache
