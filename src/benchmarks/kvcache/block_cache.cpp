#include "benchmarks/kvcache/block_cache.hpp"

#include <algorithm>

#include "payload/mix.hpp"

namespace mlps::kvcache {

size_t BlockCache::leading_run(const std::vector<uint64_t>& blocks) const {
  const auto absent = std::find_if(blocks.begin(), blocks.end(), [&](uint64_t block) { return !contains(block); });
  return static_cast<size_t>(absent - blocks.begin());
}

void BlockCache::use(const std::vector<uint64_t>& blocks, std::vector<Change>& changes) {
  for (const uint64_t block : blocks) {
    const auto known = places_.find(block);
    if (known == places_.end()) {
      admit(block, changes);
    } else if (rules_.order == Order::kLru) {
      order_.splice(order_.end(), order_, known->second);
    }
  }
}

void BlockCache::admit(uint64_t block, std::vector<Change>& changes) {
  if (rules_.second_use && asked_once_.insert(block).second) return;
  asked_once_.erase(block);
  places_[block] = order_.insert(order_.end(), block);
  changes.push_back({block, true});
  if (rules_.capacity == 0 || places_.size() <= rules_.capacity) return;
  const uint64_t oldest = order_.front();
  order_.pop_front();
  places_.erase(oldest);
  changes.push_back({oldest, false});
}

void PromptCache::use(uint64_t prompt, uint64_t tokens) {
  if (const auto known = places_.find(prompt); known != places_.end()) {
    ++counts_.hits;
    counts_.hit_tokens += tokens;
    order_.splice(order_.end(), order_, known->second);
    return;
  }
  places_[prompt] = order_.insert(order_.end(), {prompt, tokens});
  tokens_ += tokens;
  counts_.stored_tokens += tokens;
  while (most_tokens_ != 0 && tokens_ > most_tokens_) {
    tokens_ -= order_.front().tokens;
    places_.erase(order_.front().prompt);
    order_.pop_front();
    ++counts_.evicted;
  }
}

std::vector<uint64_t> regrouped(const std::vector<uint64_t>& blocks, uint64_t from, uint64_t to, uint64_t tokens,
                                bool partial) {
  const uint64_t count = partial ? (tokens + to - 1) / to : tokens / to;
  std::vector<uint64_t> made;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t last = std::min((i + 1) * to, tokens) - 1;  // the last token of the block
    const uint64_t parent = last / from;
    if (parent >= blocks.size()) break;
    if (from == to) {
      made.push_back(blocks[parent]);
    } else {
      // A parent stands for all before it, so it and the place in it tell the
      // block's tokens and all before them. A prompt that ends inside a block
      // has one that is equal only to one that ends there, too.
      made.push_back(payload::mix64(blocks[parent] + 1) ^ payload::mix64(~(last - parent * from)));
    }
  }
  return made;
}

std::vector<uint64_t> session_blocks(uint64_t session, uint64_t block_tokens, uint64_t tokens, bool partial) {
  const uint64_t full = tokens / block_tokens;
  std::vector<uint64_t> made;
  for (uint64_t i = 0; i < full; ++i) made.push_back(payload::mix64(session + 1) ^ payload::mix64(~i));
  if (partial && tokens % block_tokens != 0) {
    made.push_back(payload::mix64(payload::mix64(session + 1) + tokens) ^ payload::mix64(~full));
  }
  return made;
}

}  // namespace mlps::kvcache
