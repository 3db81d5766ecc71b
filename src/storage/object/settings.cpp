#include "storage/object/settings.hpp"

#include <fmt/format.h>

#include <array>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "storage/endpoint_text.hpp"
#include "storage/object/tls_files.hpp"

namespace mlps::object {
namespace {

constexpr std::array<std::string_view, 3> kBalanceNames = {"round_robin", "least_connections", "rank"};
constexpr const char* kBalanceVariable = "S3_LOAD_BALANCE_STRATEGY";

// By Open MPI, PMIx, MPICH, MVAPICH and Slurm.
constexpr std::array kRankVariables = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK",
                                       "SLURM_PROCID"};

}  // namespace

void take_options(TransferSettings& settings, const storage::ServerOptions& options) {
  settings.retry.patience = options.patience;
  settings.op_log = options.op_log;
}

std::string_view balance_name(Balance balance) {
  return kBalanceNames.at(static_cast<size_t>(balance));
}

Status read_balance(TransferSettings& settings, const Environment& environment) {
  for (const char* variable : kRankVariables) {
    const auto text = environment.get(variable);
    const auto rank = text ? parse_number<uint32_t>(*text) : std::nullopt;
    if (!rank) continue;
    settings.rank = *rank;
    break;
  }
  const auto name = environment.get(kBalanceVariable);
  if (!name) return {};
  for (size_t i = 0; i < kBalanceNames.size(); ++i) {
    if (trimmed(*name) != kBalanceNames[i]) continue;
    settings.balance = static_cast<Balance>(i);
    return {};
  }
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}=\"{}\" is not known", kBalanceVariable, printable(*name)), {},
              fmt::format("Use one of: {}.", join(kBalanceNames, ", ")));
}

Status read_transfer_variables(const Environment& environment, TransferSettings& settings) {
  if (Status read = read_balance(settings, environment); !read) return read;
  if (const auto text = environment.get("AWS_MAX_ATTEMPTS")) {
    const auto value = parse_number<uint64_t>(trimmed(*text));
    if (!value || *value < 1 || *value > 100) {
      return fail(ErrorCode::kConfigInvalid,
                  fmt::format("AWS_MAX_ATTEMPTS=\"{}\" is not a number from 1 to 100", printable(*text)));
    }
    settings.retry.max_attempts = static_cast<unsigned>(*value);
  }
  if (const auto bundle = environment.get("AWS_CA_BUNDLE")) {
    settings.engine.ca_file = expanded_path(*bundle, environment);
    if (Status good = check_authorities(settings.engine.ca_file, "AWS_CA_BUNDLE"); !good) return good;
  }
  if (Status read = read_proxy(environment, settings.engine); !read) return read;
  return read_own_certificate(environment, settings.engine);
}

Status read_proxy(const Environment& environment, http::Way& way) {
  const auto text = environment.get("MLPSTORAGE_PROXY");
  const auto user = environment.get("MLPSTORAGE_PROXY_USER");
  if (!text) return {};
  if (text->find('@') != std::string::npos) {
    return fail(ErrorCode::kConfigInvalid, "--proxy (MLPSTORAGE_PROXY) holds a user, which would be shown to others",
                {}, "set MLPSTORAGE_PROXY_USER=user:password, and leave it out of the address");
  }
  const bool bare = text->find("://") == std::string::npos;
  const auto proxy = storage::parse_endpoint(bare ? "http://" + *text : *text, "--proxy (MLPSTORAGE_PROXY)");
  if (!proxy) return fail(proxy.error());
  if (proxy->tls || !proxy->path.empty()) {
    return fail(ErrorCode::kConfigInvalid,
                fmt::format("--proxy (MLPSTORAGE_PROXY)=\"{}\" is no HTTP proxy", printable(*text)), {},
                "write it as http://host:port");
  }
  way.proxy = fmt::format("http://{}:{}", proxy->host, proxy->port);
  if (user && user->find_first_of("\r\n") != std::string::npos) {
    return fail(ErrorCode::kConfigInvalid, "MLPSTORAGE_PROXY_USER has more than one line");
  }
  way.proxy_user = user.value_or("");
  return {};
}

Status read_own_certificate(const Environment& environment, http::EngineSettings& engine) {
  const auto certificate = environment.get("MLPSTORAGE_TLS_CERTIFICATE");
  const auto key = environment.get("MLPSTORAGE_TLS_KEY");
  if (!certificate && !key) return {};
  if (!certificate) {
    return fail(ErrorCode::kConfigMissing, "MLPSTORAGE_TLS_KEY is set but MLPSTORAGE_TLS_CERTIFICATE isn't");
  }
  engine.certificate_file = expanded_path(*certificate, environment);
  engine.key_file = key ? expanded_path(*key, environment) : engine.certificate_file;
  return check_own_certificate(engine.certificate_file, engine.key_file, "MLPSTORAGE_TLS_CERTIFICATE");
}

}  // namespace mlps::object
