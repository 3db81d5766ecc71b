#include "storage/object/errors.hpp"

#include <fmt/format.h>

namespace mlps::object {
namespace {

std::string general_advice(const Context& context, const Call& call, const Verdict& verdict) {
  const Server& server = context.servers[call.server];
  switch (verdict.code) {
    case ErrorCode::kStorageThrottled:
      return "Use fewer requests at a time, or raise AWS_MAX_ATTEMPTS.";
    case ErrorCode::kStorageUnreachable:
      if (call.exchange.failure == http::Failure::kTls) {
        return fmt::format(
            "Set AWS_CA_BUNDLE to the certificate authority of {} ({} was used).", server.origin,
            context.settings.engine.ca_file.empty() ? "the system's store" : context.settings.engine.ca_file);
      }
      return fmt::format("Check that the server at {} is up and speaks {}.", server.origin,
                         server.origin.starts_with("https") ? "TLS" : "plain HTTP");
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
  error.suggestion = context.dialect->advice(call, verdict);
  if (error.suggestion.empty()) error.suggestion = general_advice(context, call, verdict);
  for (std::string* text : {&error.message, &error.details, &error.suggestion}) context.dialect->redact(*text);
  return error;
}

}  // namespace mlps::object
