#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/s3/dialect.hpp"
#include "storage/s3/express.hpp"
#include "storage/s3/sigv4.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {
namespace {

using object::Call;
using object::CallKind;
using object::Verdict;

/// Writes requests with Signature Version 4, or without a signature where there are no keys.
class S3Writer final : public object::RequestWriter {
 public:
  explicit S3Writer(const S3Dialect& dialect)
      : dialect_(dialect),
        settings_(dialect.settings()),
        signer_(kNoKeys, settings_.region, std::string(settings_.express ? kExpressService : "s3")) {}

  Status write(Call& call, const object::Server& server, int64_t now) override {
    if (Status usable = look_for_news(); !usable) return usable;
    call.keys_version = keys_version_;
    if (now != time_second_) {
      time_second_ = now;
      time_text_ = amz_time(now);
    }
    const std::string_view host = address(call, server);
    http::Exchange& exchange = call.exchange;
    exchange.target.assign(server.path_prefix).append(call.path);
    const size_t path_bytes = exchange.target.size();
    if (!call.query.empty()) exchange.target.append("?").append(call.query);

    gather_headers(call, host);
    for (const SignedHeader& header : headers_) exchange.headers.add(header.name, header.value);
    if (is_signed()) {
      const std::string_view path = std::string_view(exchange.target).substr(0, path_bytes);
      exchange.headers.add("Authorization", signer_.authorization({http::method_name(call.method), path, call.query,
                                                                   headers_, call.payload_hash, time_text_}));
    }
    exchange.headers.add("User-Agent", "mlpstorage");
    return {};
  }

  bool adapt(const Call& call, const Verdict& verdict) override {
    if (!verdict.region.empty() && verdict.region != dialect_.region().name()) return move_to(verdict.region);
    if (call.exchange.status < 400) return follow(call);
    return settings_.credentials->renew(call.keys_version);
  }

 private:
  inline static const Credentials kNoKeys;

  bool is_signed() const { return keys_ && !keys_->access_key.empty(); }

  /// Takes over new keys and a new region.
  Status look_for_news() {
    const uint64_t keys_now = settings_.credentials->version();
    const unsigned region_now = dialect_.region().version();
    if (keys_ && keys_now == keys_version_ && region_now == region_version_) return {};
    auto keys = settings_.credentials->get();
    if (!keys) return fail(std::move(keys.error()));
    const std::string region = dialect_.region().name();
    signer_.use(**keys, region);
    keys_ = std::move(*keys);
    keys_version_ = keys_now;
    region_version_ = region_now;
    // AWS has a server for each region; other servers have several behind one name.
    moved_ = settings_.is_aws_default() && region != settings_.region ? "." + region + "." : std::string();
    return {};
  }

  /// Writes the origin of a request, and returns its Host header.
  std::string_view address(Call& call, const object::Server& server) {
    http::Exchange& exchange = call.exchange;
    exchange.origin = server.origin;
    if (const std::string* other = redirected(call)) exchange.origin = *other;
    if (exchange.origin == server.origin && moved_.empty()) return server.host;
    const std::string old = "." + settings_.region + ".";
    const auto at = moved_.empty() ? std::string::npos : exchange.origin.find(old);
    if (at != std::string::npos) exchange.origin.replace(at, old.size(), moved_);
    return std::string_view(exchange.origin).substr(exchange.origin.find("://") + 3);
  }

  /// Returns where the last attempt of a call was redirected to; null if it was not.
  const std::string* redirected(const Call& call) {
    if (redirects_.empty()) return nullptr;
    const auto found = redirects_.find(&call);
    if (found == redirects_.end()) return nullptr;
    if (call.retries > 0) return &found->second;
    redirects_.erase(found);  // of an earlier call in the same place
    return nullptr;
  }

  // The signature wants the headers in alphabetical order.
  void gather_headers(const Call& call, std::string_view host) {
    headers_.clear();
    add("host", host);
    add("if-match", call.if_match);
    add("range", call.range);
    if (settings_.checksum != Checksum::kNone && !settings_.google) {
      const ChecksumNames& names = names_of(settings_.checksum);
      add("x-amz-checksum-algorithm", call.kind == CallKind::kBeginUpload ? names.algorithm : "");
      add(names.header, call.checksum);
    }
    if (settings_.asks_checksum && !settings_.google)
      add("x-amz-checksum-mode", call.kind == CallKind::kHeadObject ? "ENABLED" : "");
    // Of parts with CRC-64 there is no other kind, but servers want to be told.
    if (settings_.checksum == Checksum::kCrc64nvme) {
      const bool multipart = call.kind == CallKind::kBeginUpload || call.kind == CallKind::kCommitUpload;
      add("x-amz-checksum-type", multipart ? "FULL_OBJECT" : "");
    }
    if (is_signed()) {
      add("x-amz-content-sha256", call.payload_hash);
      add("x-amz-date", time_text_);
      if (settings_.sessions) add("x-amz-s3session-token", keys_->session_token);
      if (!settings_.sessions) add("x-amz-security-token", keys_->session_token);
    }
    const size_t in_order = headers_.size();
    for (const FixedHeader& header : settings_.headers.all) {
      if (header.goes_with(call.kind)) headers_.push_back({header.name, header.value});
    }
    if (headers_.size() == in_order) return;
    std::sort(headers_.begin(), headers_.end(),
              [](const SignedHeader& a, const SignedHeader& b) { return a.name < b.name; });
  }

  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) headers_.push_back({name, value});
  }

  bool move_to(const std::string& region) {
    constexpr std::string_view kLegal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if (region.find_first_not_of(kLegal) != std::string::npos) return false;
    const std::string before = dialect_.region().name();
    if (dialect_.region().learn(region)) {
      log::warning("The server says that the bucket is in region {}, not {} ({}): requests go there from now on.",
                   region, before, settings_.region_source);
    }
    return true;
  }

  /// Sends the call to where the server points, if that is another server and the same path. Never from https to http.
  bool follow(const Call& call) {
    const std::string from = call.exchange.origin;
    std::string to(call.exchange.header("location").value_or(""));
    if (to.empty()) to = redirect_endpoint(call.exchange.text);
    if (to.empty()) return false;
    if (to.find("://") == std::string::npos) to.insert(0, from.substr(0, from.find("://") + 3));
    const auto begin = to.find("://") + 3;
    const auto end = std::min(to.find_first_of("/?#", begin), to.size());
    const std::string_view target = std::string_view(to).substr(end);
    const auto server = storage::parse_endpoint(to.substr(0, end), "redirect");
    if (!server || (from.starts_with("https") && !server->tls)) return false;
    if (!target.empty() && target != "/" && target != call.exchange.target) return false;
    if (server->url() == from) return false;
    redirects_[&call] = server->url();
    dialect_.tell_redirected(from, server->url());
    return true;
  }

  const S3Dialect& dialect_;
  const Settings& settings_;
  Signer signer_;
  std::shared_ptr<const Credentials> keys_;
  uint64_t keys_version_ = 0;
  unsigned region_version_ = 0;
  std::string moved_;  ///< ".region." of AWS's server, where that isn't the one that was set
  std::map<const Call*, std::string> redirects_;
  int64_t time_second_ = -1;
  std::string time_text_;
  std::vector<SignedHeader> headers_;
};

}  // namespace

void S3Dialect::tell_redirected(const std::string& from, const std::string& to) const {
  if (told_redirected_.exchange(true)) return;
  log::warning("The server at {} sends requests on to {}; each is sent twice. Name the other server as endpoint.", from,
               to);
}

std::unique_ptr<object::RequestWriter> S3Dialect::open_writer() const {
  return std::make_unique<S3Writer>(*this);
}

}  // namespace mlps::s3
