#include "storage/object/errors.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/text.hpp"
#include "storage/object/server_words.hpp"

namespace mlps::object {
namespace {

bool says(std::string_view words, std::string_view text) {
  return words.find(text) != std::string_view::npos;
}

/// Returns what to do about a certificate that was refused, by why it was.
std::string advice_about_certificate(const Context& context, const Server& server, std::string_view words) {
  if (says(words, "expired") || says(words, "not yet valid")) {
    return "Renew the server's certificate, or set this host's clock.";
  }
  if (says(words, "subject name") || says(words, "does not match") || says(words, "hostname mismatch")) {
    return fmt::format("The certificate is made out to another name than {}: use that name in the endpoint.",
                       server.host);
  }
  const std::string& file = context.settings.engine.ca_file;
  return fmt::format("Set AWS_CA_BUNDLE to the certificate authority of {} ({} was used).", server.origin,
                     file.empty() ? "the system's store" : file);
}

/// Returns what to do about an answer that did not come, by why it did not.
std::string advice_about_connection(const Context& context, const Call& call, std::string_view words) {
  const Server& server = context.servers[call.server];
  if (call.exchange.failure == http::Failure::kLocal) {
    return "This is a limit of this host, not of the server: see ulimit -n and net.ipv4.ip_local_port_range, or give "
           "fewer "
           "--io-workers or --io-depth.";
  }
  const std::string& proxy = context.settings.engine.proxy;
  if (call.exchange.failure == http::Failure::kProxy) {
    const bool unknown = says(words, "407");
    return fmt::format("The proxy {} {}.", proxy,
                       unknown ? "wants a user and a password: set MLPSTORAGE_PROXY_USER=user:password"
                               : "doesn't connect to this server: have it allow that, or leave --proxy away");
  }
  if (call.exchange.failure == http::Failure::kTls) return advice_about_certificate(context, server, words);
  if (says(words, "resolve host")) {
    return fmt::format("There is no such host, or no name server answers: check the name in the endpoint {}.",
                       server.url);
  }
  if (says(words, "certificate required") || says(words, "alert handshake failure")) {
    return "The server asks for a certificate of this client: set MLPSTORAGE_TLS_CERTIFICATE and MLPSTORAGE_TLS_KEY.";
  }
  const bool tls = server.origin.starts_with("https");
  const bool speaks_plainly = tls && (says(words, "wrong version number") || says(words, "packet length too long") ||
                                      says(words, "record layer failure"));
  if (!proxy.empty()) {
    return fmt::format("Check that the proxy {} is up, and that it can reach {}.", proxy, server.origin);
  }
  return fmt::format("Check that the server at {} is up and speaks {}{}.", server.origin, tls ? "TLS" : "plain HTTP",
                     speaks_plainly ? ", or write the endpoint with http://" : "");
}

/// Returns what to do about an answer of something in front of the storage, or in place of it, whatever protocol the
/// storage speaks; empty where nothing says so.
std::string advice_about_front(const Context& context, const Call& call, const Verdict& verdict) {
  const std::string& url = context.servers[call.server].url;
  const http::Exchange& exchange = call.exchange;
  if (!verdict.server_code.empty()) return {};
  if (exchange.status == 413) {
    return fmt::format(
        "Something in front of {} limits the size of a request (nginx: client_max_body_size): raise that, "
        "or give a smaller --io-part-size.",
        url);
  }
  if (exchange.status != 400 || exchange.origin.starts_with("https")) return {};
  const std::string words = lower(verdict.happened);
  if (says(words, "https") || says(words, "ssl") || says(words, "tls")) {
    return "This port speaks TLS: write the endpoint with https://.";
  }
  // An answer to HEAD has no words.
  if (call.method != http::Method::kHead || !verdict.request_id.empty()) return {};
  return fmt::format(
      "If the port of {} speaks TLS, write the endpoint with https://. Else check that it is the address of the "
      "storage's API, and no proxy, filter or web page.",
      url);
}

std::string general_advice(const Context& context, const Call& call, const Verdict& verdict) {
  if (call.exchange.status == 407) {
    return fmt::format("The proxy {} wants a user and a password: set MLPSTORAGE_PROXY_USER=user:password.",
                       context.settings.engine.proxy);
  }
  if (verdict.server_code.empty() && call.exchange.status != 0 &&
      is_web_page(call.exchange.header("content-type").value_or(""), call.exchange.text)) {
    return fmt::format(
        "This does not look like a storage server: check that {} is the address of its API, and no proxy, filter or "
        "web page.",
        context.servers[call.server].url);
  }
  switch (verdict.code) {
    case ErrorCode::kStorageThrottled:
      return "Use fewer requests at a time, or raise AWS_MAX_ATTEMPTS.";
    case ErrorCode::kStorageUnreachable:
      return advice_about_connection(context, call, verdict.happened);
    case ErrorCode::kDataMismatch:
      return call.exchange.status == 412 ? kVersionAdvice : "";
    default:
      return {};
  }
}

}  // namespace

Error call_error(const Context& context, const Call& call, const Verdict& verdict) {
  const unsigned attempts = call.retries + 1;
  Error error;
  error.code = verdict.code;
  error.message = fmt::format("{} {}{}{} failed{}: {}", context.dialect->call_name(call.kind), call.subject,
                              call.scope.empty() ? "" : " ", call.scope,
                              attempts > 1 ? fmt::format(" after {} attempts", attempts) : "", verdict.happened);
  error.details = fmt::format("endpoint {}, attempts {}", context.servers[call.server].url, attempts);
  if (!verdict.request_id.empty()) error.details += ", request id " + verdict.request_id;
  error.suggestion = advice_about_front(context, call, verdict);
  if (error.suggestion.empty()) error.suggestion = context.dialect->advice(call, verdict);
  if (error.suggestion.empty()) error.suggestion = general_advice(context, call, verdict);
  for (std::string* text : {&error.message, &error.details, &error.suggestion}) context.dialect->redact(*text);
  return error;
}

}  // namespace mlps::object
