#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "storage/azure/azure_dialect.hpp"
#include "storage/azure/shared_key.hpp"
#include "storage/probe_name.hpp"

namespace mlps::azure {
namespace {

using object::Call;
using object::Server;

constexpr size_t kSessionDigits = 12;

// Returns "Tue, 01 Sep 2026 00:00:00 GMT".
std::string http_date(int64_t seconds) {
  tm utc = {};
  const time_t time = seconds;
  gmtime_r(&time, &utc);
  std::array<char, 64> text = {};
  strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text.data();
}

class AzureWriter final : public object::RequestWriter {
 public:
  explicit AzureWriter(const Settings& settings)
      : settings_(settings),
        signer_(settings.account, settings.key),
        session_("mlpstorage-" + storage::random_suffix().substr(0, kSessionDigits)) {}

  Status write(Call& call, const Server& server, int64_t now) override;
  bool adapt(const Call& call, const object::Verdict& verdict) override;

 private:
  Status authorise(Call& call);
  Status hold_token();

  const Settings& settings_;
  SharedKeySigner signer_;
  std::string session_;
  uint64_t requests_ = 0;
  int64_t date_second_ = -1;
  std::string date_;
  std::string path_;
  std::shared_ptr<const std::string> token_;
  uint64_t token_version_ = 0;
};

Status AzureWriter::write(Call& call, const Server& server, int64_t now) {
  if (now != date_second_) {
    date_second_ = now;
    date_ = http_date(now);
  }
  http::Exchange& exchange = call.exchange;
  exchange.origin = server.origin;
  path_.assign(server.path_prefix).append(call.path);
  exchange.target = path_;
  if (!call.query.empty()) exchange.target.append("?").append(call.query);
  if (settings_.authorisation == Authorisation::kSas) {
    exchange.target.append(call.query.empty() ? "?" : "&").append(settings_.sas);
  }
  http::HeaderList& lines = exchange.headers;
  lines.text.assign(call.headers.text);
  if (!call.if_match.empty()) lines.add("If-Match", call.if_match);
  if (!call.range.empty()) lines.add("x-ms-range", call.range);
  lines.add("x-ms-version", kServiceVersion);
  lines.add("x-ms-client-request-id", fmt::format("{}-{}", session_, ++requests_));
  if (settings_.authorisation == Authorisation::kSharedKey) lines.add("x-ms-date", date_);
  if (auto status = authorise(call); !status) return status;
  lines.add("Host", server.host);
  lines.add("User-Agent", "mlpstorage");
  return {};
}

Status AzureWriter::authorise(Call& call) {
  http::HeaderList& lines = call.exchange.headers;
  if (settings_.authorisation == Authorisation::kSharedKey) {
    lines.add("Authorization",
              signer_.authorization({http::method_name(call.method), call.body.size(), lines.text, path_, call.query}));
  } else if (settings_.authorisation == Authorisation::kToken) {
    if (auto status = hold_token(); !status) return status;
    call.keys_version = token_version_;
    lines.add("Authorization", "Bearer " + *token_);
  }
  return {};
}

// The version is read first: a token that is renewed in between is taken again by the next request. The first one has
// version 1.
Status AzureWriter::hold_token() {
  const uint64_t version = settings_.token->version();
  if (token_ && version == token_version_) return {};
  auto token = settings_.token->get();
  if (!token) return fail(std::move(token.error()));
  token_ = std::move(*token);
  token_version_ = std::max<uint64_t>(version, 1);
  return {};
}

bool AzureWriter::adapt(const Call& call, const object::Verdict& /*verdict*/) {
  return settings_.token && settings_.token->renew(call.keys_version);
}

}  // namespace

std::unique_ptr<object::RequestWriter> AzureDialect::open_writer() const {
  return std::make_unique<AzureWriter>(settings_);
}

}  // namespace mlps::azure
