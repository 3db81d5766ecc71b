#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace mlps::kvcache {

/// Which blocks of tokens are present, and which leave when there is no room:
/// bookkeeping only. A block is known by a number that stands for its tokens
/// and for all tokens before it.
class BlockCache {
 public:
  enum class Order : uint8_t {
    kLru,  ///< the block that was used longest ago leaves first
    kFifo  ///< the block that has been there longest
  };
  struct Rules {
    uint64_t capacity = 0;  ///< blocks; 0: no limit
    Order order = Order::kLru;
    bool second_use = false;  ///< a block is stored only when it is asked for the second time
  };
  explicit BlockCache(Rules rules) : rules_(rules) {}

  /// Returns how many blocks, from the first on, are present without a gap.
  size_t leading_run(const std::vector<uint64_t>& blocks) const;

  /// What became of a block.
  struct Change {
    uint64_t block = 0;
    bool stored = false;  ///< else it was evicted
  };
  /// Takes note that a request has used its blocks, in their order: one that is present becomes the most recent, one
  /// that is absent is stored, and evicts the oldest where there is no room. Appends what happened, in order.
  void use(const std::vector<uint64_t>& blocks, std::vector<Change>& changes);

  uint64_t size() const { return places_.size(); }
  bool contains(uint64_t block) const { return places_.contains(block); }

 private:
  void admit(uint64_t block, std::vector<Change>& changes);

  Rules rules_;
  std::list<uint64_t> order_;  // the next to leave first
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> places_;
  std::unordered_set<uint64_t> asked_once_;  // second_use only
};

/// Which whole prompts are present, if each is one entry that serves the same prompt alone, and the one that was used
/// longest ago leaves first: what a cache without blocks makes of the same requests.
class PromptCache {
 public:
  /// `most_tokens`: 0: no limit.
  explicit PromptCache(uint64_t most_tokens) : most_tokens_(most_tokens) {}

  struct Counts {
    uint64_t hits = 0, hit_tokens = 0, stored_tokens = 0, evicted = 0;
  };
  /// Takes note of a request; `prompt` is a number that stands for all of its prompt.
  void use(uint64_t prompt, uint64_t tokens);
  const Counts& counts() const { return counts_; }

 private:
  struct Held {
    uint64_t prompt, tokens;
  };
  const uint64_t most_tokens_;
  uint64_t tokens_ = 0;
  std::list<Held> order_;  // the next to leave first
  std::unordered_map<uint64_t, std::list<Held>::iterator> places_;
  Counts counts_;
};

/// Returns the blocks of `to` tokens that blocks of `from` tokens consist of,
/// for a prompt of `tokens`: a block is split into parts, or joined with its
/// neighbours, and known by a number made of the last of them. Blocks that the
/// prompt does not fill are left out, or kept as its last one, by `partial`.
std::vector<uint64_t> regrouped(const std::vector<uint64_t>& blocks, uint64_t from, uint64_t to, uint64_t tokens,
                                bool partial);

/// Returns the blocks of a prompt that belongs to a session, and repeats it
/// from its first token on.
std::vector<uint64_t> session_blocks(uint64_t session, uint64_t block_tokens, uint64_t tokens, bool partial);

}  // namespace mlps::kvcache
