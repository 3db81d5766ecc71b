#include <array>

#include "storage/s3/dialect.hpp"
#include "storage/s3/sigv4.hpp"

namespace mlps::s3 {
namespace {

using object::Call;
using object::CallKind;

/// Writes requests with Signature Version 4.
class S3Writer final : public object::RequestWriter {
 public:
  explicit S3Writer(const Settings& settings) : settings_(settings), signer_(settings.credentials, settings.region) {}

  Status write(Call& call, const object::Server& server, int64_t now) override {
    http::Exchange& exchange = call.exchange;
    exchange.origin = server.origin;
    exchange.target.assign(server.path_prefix).append(call.path);
    const size_t path_bytes = exchange.target.size();
    if (!call.query.empty()) exchange.target.append("?").append(call.query);
    if (now != time_second_) {
      time_second_ = now;
      time_text_ = amz_time(now);
    }

    count_ = 0;  // in alphabetical order, as the signature wants them
    add("host", server.host);
    add("if-match", call.if_match);
    add("range", call.range);
    if (settings_.checksum) {
      add("x-amz-checksum-algorithm", call.kind == CallKind::kBeginUpload ? "CRC32C" : "");
      add("x-amz-checksum-crc32c", call.checksum);
      add("x-amz-checksum-mode", call.kind == CallKind::kHeadObject ? "ENABLED" : "");
    }
    add("x-amz-content-sha256", call.payload_hash);
    add("x-amz-date", time_text_);
    add("x-amz-security-token", settings_.credentials.session_token);

    const std::span<const SignedHeader> signed_headers(headers_.data(), count_);
    for (const SignedHeader& header : signed_headers) exchange.headers.add(header.name, header.value);
    const std::string_view path = std::string_view(exchange.target).substr(0, path_bytes);
    exchange.headers.add("Authorization", signer_.authorization({http::method_name(call.method), path, call.query,
                                                                 signed_headers, call.payload_hash, time_text_}));
    exchange.headers.add("User-Agent", "mlpstorage");
    return {};
  }

 private:
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) headers_.at(count_++) = {name, value};
  }

  const Settings& settings_;
  Signer signer_;
  int64_t time_second_ = -1;
  std::string time_text_;
  std::array<SignedHeader, 9> headers_;
  size_t count_ = 0;
};

}  // namespace

std::unique_ptr<object::RequestWriter> S3Dialect::open_writer() const {
  return std::make_unique<S3Writer>(settings_);
}

}  // namespace mlps::s3
