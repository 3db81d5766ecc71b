#include "storage/object/store.hpp"

#include <atomic>

#include "storage/object/session.hpp"

namespace mlps::object {
namespace {

class ObjectStore final : public storage::Store {
 public:
  ObjectStore(std::shared_ptr<Context> context, storage::SettingList description,
              std::vector<storage::Endpoint> endpoints)
      : context_(std::move(context)), description_(std::move(description)), endpoints_(std::move(endpoints)) {}

  const Location& root() const override { return context_->root; }
  storage::StoreTraits traits() const override {
    return {.backend = scheme_name(context_->root.scheme()), .reads_need_open = false};
  }
  Result<std::unique_ptr<storage::Session>> open_session(unsigned depth) override {
    return make_session(context_, depth, sessions_.fetch_add(1));
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    return context_->make_object(std::move(spec));
  }
  storage::SettingList describe() const override { return description_; }
  std::vector<storage::Endpoint> endpoints() const override { return endpoints_; }

 private:
  std::shared_ptr<Context> context_;
  storage::SettingList description_;
  std::vector<storage::Endpoint> endpoints_;
  std::atomic<unsigned> sessions_ = 0;
};

}  // namespace

std::unique_ptr<storage::Store> make_store(std::shared_ptr<Context> context, storage::SettingList description,
                                           std::vector<storage::Endpoint> endpoints) {
  return std::make_unique<ObjectStore>(std::move(context), std::move(description), std::move(endpoints));
}

}  // namespace mlps::object
