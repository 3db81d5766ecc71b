#include "storage/fault/fault_store.hpp"

#include <utility>

#include "storage/fault/fault_plan.hpp"
#include "storage/fault/fault_session.hpp"

namespace mlps::storage {
namespace {

class FaultStore final : public Store {
 public:
  FaultStore(std::unique_ptr<Store> inner, std::unique_ptr<fault::FaultPlan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  const Location& root() const override { return inner_->root(); }
  StoreTraits traits() const override {
    StoreTraits traits = inner_->traits();
    traits.reads_need_open = true;  // so that a fault meant for it happens
    return traits;
  }
  Result<std::unique_ptr<Session>> open_session(unsigned depth) override {
    Result<std::unique_ptr<Session>> session = inner_->open_session(depth);
    if (!session) return session;
    return fault::make_fault_session(std::move(*session), *plan_);
  }
  std::unique_ptr<Object> object(ObjectSpec spec) override { return inner_->object(std::move(spec)); }
  void renew(std::unique_ptr<Object>& place, ObjectSpec& spec) override { inner_->renew(place, spec); }
  SettingList describe() const override {
    auto settings = inner_->describe();
    settings.emplace_back("injected_faults", plan_->text());
    return settings;
  }
  std::vector<Endpoint> endpoints() const override { return inner_->endpoints(); }
  Status flush() override { return inner_->flush(); }
  Result<std::optional<Capacity>> capacity() const override { return std::as_const(*inner_).capacity(); }
  Status evict(std::string_view name) override { return inner_->evict(name); }
  Result<std::optional<Residency>> residency(std::string_view name) override { return inner_->residency(name); }

 private:
  std::unique_ptr<Store> inner_;
  std::unique_ptr<fault::FaultPlan> plan_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_fault_store(std::unique_ptr<Store> inner, std::string_view spec, uint64_t seed) {
  Result<std::unique_ptr<fault::FaultPlan>> plan = fault::FaultPlan::parse(spec, seed);
  if (!plan) return fail(std::move(plan.error()));
  return std::make_unique<FaultStore>(std::move(inner), std::move(*plan));
}

}  // namespace mlps::storage
