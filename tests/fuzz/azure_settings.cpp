// What people put into the variables of Azure Blob storage: connection strings, addresses, SAS tokens.
#include "fuzz.hpp"
#include "location/azure_account.hpp"
#include "storage/azure/settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto parsed = parse_azure_connection_string(text)) {
    fuzz::require(!parsed->account.empty() && !parsed->endpoint.empty(),
                  "a connection string names account and endpoint");
  }
  (void)azure::parse_service_endpoints(text, "acct", "VARIABLE", false);
  if (const auto sas = azure::checked_sas(text, "VARIABLE", 1'000'000'000)) {
    fuzz::require(sas->find_first_of("\r\n ?#") == std::string::npos, "a SAS token fits into a query");
  }
  return 0;
}
