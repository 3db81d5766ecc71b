#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "world/wire.hpp"

namespace mlps::world {

/// A network in memory whose links can be cut and whose processes can be silenced, with no word to anybody.
class FakeNet {
 public:
  explicit FakeNet(uint32_t size) : inbox_(size) {}

  std::unique_ptr<Wire> wire(uint32_t index) { return std::make_unique<End>(*this, index); }

  /// What is on its way stays; nothing more passes between the two.
  void cut(uint32_t a, uint32_t b) {
    const std::lock_guard lock(mutex_);
    cut_.insert({a, b});
    cut_.insert({b, a});
  }
  void silence(uint32_t process) {
    for (uint32_t other = 0; other < inbox_.size(); ++other) cut(process, other);
  }
  /// From now on this process's wire reports errors.
  void break_wire(uint32_t process) {
    const std::lock_guard lock(mutex_);
    broken_.insert(process);
  }
  void inject(uint32_t to, Message message) {
    const std::lock_guard lock(mutex_);
    inbox_[to].push_back(std::move(message));
  }
  /// From now on sending to this process is an error.
  void refuse(uint32_t process) {
    const std::lock_guard lock(mutex_);
    refusing_.insert(process);
  }
  int finished() const {
    const std::lock_guard lock(mutex_);
    return finished_;
  }

 private:
  class End final : public Wire {
   public:
    End(FakeNet& net, uint32_t index) : net_(net), index_(index) {}
    uint32_t index() const override { return index_; }
    uint32_t size() const override { return static_cast<uint32_t>(net_.inbox_.size()); }
    Status send(uint32_t to, Bytes bytes) override {
      const std::lock_guard lock(net_.mutex_);
      if (net_.broken_.contains(index_)) return fail(ErrorCode::kMpiCommunication, "the cable is unplugged");
      if (net_.refusing_.contains(to)) {
        unreachable_ = to;
        return fail(ErrorCode::kMpiCommunication, "endpoint timeout\nand more");
      }
      if (!net_.cut_.contains({index_, to})) net_.inbox_[to].push_back({index_, std::move(bytes)});
      return {};
    }
    std::optional<uint32_t> unreachable() const override { return unreachable_; }
    Result<std::optional<Message>> poll() override {
      const std::lock_guard lock(net_.mutex_);
      if (net_.broken_.contains(index_)) return fail(ErrorCode::kMpiCommunication, "the cable is unplugged");
      auto& inbox = net_.inbox_[index_];
      if (inbox.empty()) return std::optional<Message>();
      std::optional<Message> message = std::move(inbox.front());
      inbox.pop_front();
      return message;
    }
    size_t unsent(uint32_t) const override { return 0; }
    Status finish() override {
      const std::lock_guard lock(net_.mutex_);
      ++net_.finished_;
      return {};
    }
    void abort(int, bool) override {}

   private:
    FakeNet& net_;
    const uint32_t index_;
    std::optional<uint32_t> unreachable_;
  };

  mutable std::mutex mutex_;
  std::vector<std::deque<Message>> inbox_;
  std::set<std::pair<uint32_t, uint32_t>> cut_;
  std::set<uint32_t> broken_;
  std::set<uint32_t> refusing_;
  int finished_ = 0;
};

}  // namespace mlps::world
