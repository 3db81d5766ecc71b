#include "storage/object/store.hpp"

#include <algorithm>
#include <atomic>

#include "storage/object/session.hpp"

namespace mlps::object {
namespace {

constexpr unsigned kCheckSeconds = 5;

/// Returns settings by which a wrong or broken endpoint is found in seconds: for checks before a run.
TransferSettings probe_settings(TransferSettings settings) {
  settings.retry.patience =
      std::min<std::chrono::nanoseconds>(settings.retry.patience, std::chrono::seconds(kCheckSeconds));
  settings.retry.max_attempts = std::min(settings.retry.max_attempts, 2U);
  settings.retry.retry_after_cap = settings.retry.patience;
  for (unsigned* limit : {&settings.stall_seconds, &settings.commit_stall_seconds, &settings.engine.connect_seconds}) {
    *limit = std::min(*limit, kCheckSeconds);
  }
  return settings;
}

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
    return make_session(context_, context_->settings, depth, sessions_.fetch_add(1));
  }
  Result<std::unique_ptr<storage::Session>> open_probe_session() override {
    return make_session(context_, probe_settings(context_->settings), 1, sessions_.fetch_add(1));
  }
  std::unique_ptr<storage::Object> object(storage::ObjectSpec spec) override {
    return context_->make_object(std::move(spec));
  }
  storage::SettingList describe() const override { return description_; }
  std::vector<storage::Endpoint> endpoints() const override { return endpoints_; }
  std::vector<storage::ServerUse> server_uses() const override { return context_->servers.uses(); }

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
