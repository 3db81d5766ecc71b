#include "storage/object/settings.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/object/tls_files.hpp"

namespace mlps::object {

Status read_transfer_variables(const Environment& environment, TransferSettings& settings) {
  if (const auto text = environment.get("AWS_MAX_ATTEMPTS")) {
    const auto value = parse_number<uint64_t>(trimmed(*text));
    if (!value || *value < 1 || *value > 100) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("AWS_MAX_ATTEMPTS=\"{}\" is not a number from 1 to 100", printable(*text)));
    }
    settings.retry.max_attempts = static_cast<unsigned>(*value);
  }
  if (const auto bundle = environment.get("AWS_CA_BUNDLE")) {
    settings.engine.ca_file = *bundle;
    if (Status good = check_authorities(*bundle, "AWS_CA_BUNDLE"); !good) return good;
  }
  const auto certificate = environment.get("MLPSTORAGE_TLS_CERTIFICATE");
  const auto key = environment.get("MLPSTORAGE_TLS_KEY");
  if (!certificate && !key) return {};
  if (!certificate) {
    return fail(ErrorCode::kConfigMissing, "MLPSTORAGE_TLS_KEY is set but MLPSTORAGE_TLS_CERTIFICATE isn't");
  }
  settings.engine.certificate_file = *certificate;
  settings.engine.key_file = key.value_or(*certificate);
  return check_own_certificate(settings.engine.certificate_file, settings.engine.key_file,
                               "MLPSTORAGE_TLS_CERTIFICATE");
}

}  // namespace mlps::object
