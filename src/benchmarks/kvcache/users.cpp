#include "benchmarks/kvcache/users.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mlps::kvcache {
namespace {

constexpr uint64_t kUserStream = 1;

Qos class_of(const Tuning& tuning, double draw) {
  size_t index = 0;
  while (index + 1 < kClasses && draw >= tuning.classes[index].below) ++index;
  return static_cast<Qos>(index);
}

}  // namespace

std::string EntryKey::name() const {
  if (kind == EntryKind::kChunk) return fmt::format("rag_doc_{:04}_chunk_{}", user, number);
  if (kind == EntryKind::kContext) return fmt::format("rag_doc_{:04}", user);
  if (kind == EntryKind::kPrepopulated) return fmt::format("prepop_{:06}", number);
  if (kind == EntryKind::kPreconditioned) return fmt::format("precond_{:06}", number);
  if (turn == 0) return fmt::format("user_{:04}_req_{:06}", user, number);
  return fmt::format("conv_user_{:04}_{}_turn_{}", user, number, turn);
}

User::User(const Tuning& tuning, uint64_t seed, uint32_t index) : random_(seed, kUserStream, index), index_(index) {
  const Persona& persona = tuning.personas[random_.integer(0, tuning.personas.size() - 1)];
  context_ = static_cast<uint32_t>(random_.integer(persona.context_low, persona.context_high));
  generation_ = static_cast<uint32_t>(random_.integer(persona.generation_low, persona.generation_high));
  think_ns_ = static_cast<Nanos>(random_.between(persona.think_low_s, persona.think_high_s) * kNanosPerSecond);
  qos_ = class_of(tuning, random_.unit());
}

Nanos User::draw_wait() {
  return static_cast<Nanos>(static_cast<double>(think_ns_) * random_.between(kThinkLow, kThinkHigh));
}

Request User::next(const Tuning& tuning, bool multi_turn) {
  Request request;
  request.qos = qos_;
  request.serial = serial_++;
  if (multi_turn) {
    const bool ends = turn_ != 0 && (random_.unit() < tuning.end_of_conversation || turn_ >= tuning.most_turns);
    if (ends) {
      turn_ = 0;
      ++conversation_;
    }
    request.key = {index_, conversation_, ++turn_, EntryKind::kRequest};
  } else {
    request.key = {index_, request.serial, 0, EntryKind::kRequest};
  }
  const auto draw = [&](uint32_t most) { return static_cast<uint32_t>(random_.integer(std::max(1u, most / 4), most)); };
  request.context = draw(context_);
  request.generation = draw(generation_);
  return request;
}

void Conversations::add(const EntryKey& key) {
  const Id id{key.user, key.number};
  const auto known = records_.find(id);
  if (known != records_.end()) {
    by_use_.erase({known->second.used, id});
  } else if (records_.size() >= most_) {
    records_.erase(by_use_.begin()->second);
    by_use_.erase(by_use_.begin());
  }
  Record& record = records_[id];
  record.turns.push_back(key.turn);
  record.used = ++clock_;
  by_use_.insert({record.used, id});
}

std::vector<EntryKey> Conversations::others(const EntryKey& key) const {
  std::vector<EntryKey> keys;
  const auto known = records_.find({key.user, key.number});
  if (known == records_.end()) return keys;
  for (const uint32_t turn : known->second.turns) {
    if (turn != key.turn) keys.push_back({key.user, key.number, turn, EntryKind::kRequest});
  }
  return keys;
}

}  // namespace mlps::kvcache
