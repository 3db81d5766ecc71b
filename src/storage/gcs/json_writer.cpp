#include "storage/gcs/json_writer.hpp"

namespace mlps::gcs {
namespace {

class JsonWriter final : public object::RequestWriter {
 public:
  explicit JsonWriter(const Settings& settings) : token_(settings.token), quota_project_(settings.quota_project) {}

  Status write(object::Call& call, const object::Server& server, int64_t /*now*/) override {
    http::Exchange& exchange = call.exchange;
    exchange.origin = server.origin;
    exchange.target = server.path_prefix + call.path;
    if (!call.query.empty()) exchange.target.append("?").append(call.query);
    exchange.headers.add("Host", server.host);
    if (Status known = refresh(); !known) return known;
    call.keys_version = version_;
    if (!authorization_.empty()) exchange.headers.add("Authorization", authorization_);
    if (!quota_project_.empty()) exchange.headers.add("x-goog-user-project", quota_project_);
    if (!call.range.empty()) exchange.headers.add("Range", call.range);
    exchange.headers.add("User-Agent", "mlpstorage");
    exchange.headers.text += call.headers.text;
    return {};
  }

  bool adapt(const object::Call& call, const object::Verdict& /*verdict*/) override {
    return token_ && token_->renew(call.keys_version);
  }

 private:
  /// Takes over a token that was renewed.
  Status refresh() {
    if (!token_) return {};
    const uint64_t version = token_->version();
    if (version == version_ && version != 0) return {};
    const auto token = token_->get();
    if (!token) return fail(token.error());
    authorization_ = "Bearer " + **token;
    version_ = version == 0 ? token_->version() : version;
    return {};
  }

  const std::shared_ptr<object::Renewed<std::string>> token_;
  const std::string quota_project_;
  std::string authorization_;
  uint64_t version_ = 0;
};

}  // namespace

std::unique_ptr<object::RequestWriter> make_json_writer(const Settings& settings) {
  return std::make_unique<JsonWriter>(settings);
}

void redact_token(const Settings& settings, std::string& text) {
  if (!settings.token || settings.token->version() == 0) return;
  const auto token = settings.token->get();
  if (!token || (*token)->empty()) return;
  for (auto at = text.find(**token); at != std::string::npos; at = text.find(**token, at)) {
    text.replace(at, (*token)->size(), "***");
  }
}

}  // namespace mlps::gcs
