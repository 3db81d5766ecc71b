#pragma once

#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "storage/http/way.hpp"

namespace mlps::http {

/// A small request to a service beside the storage: a token endpoint, the metadata service of an instance.
struct ServiceRequest {
  std::string method = "GET";
  std::string url;                                                ///< http or https, shown in errors up to its '?'
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< neither part may hold CR or LF
  std::string body = {};
  Way way = {};
  unsigned connect_milliseconds = 2'000;
  unsigned total_milliseconds = 10'000;  ///< of one attempt
  unsigned attempts = 3;                 ///< no connection, 429 and 5xx are tried again after 0.2 s, 0.4 s, ...
};

/// The answer to it, whatever its status.
struct ServiceAnswer {
  int status = 0;
  std::string body;                            ///< at most 1 MiB
  std::map<std::string, std::string> headers;  ///< names in lower case; of equal ones the last
};

/// Sends a request and waits for the answer, on the caller's thread, within the limits of the request and until `stop`
/// is true (E203). Follows no redirect, no .netrc and no variable of the process, and takes no proxy to a service
/// beside this host; TLS is always verified. E601 with the library's words if no answer came, E605 if it is larger than
/// 1 MiB.
Result<ServiceAnswer> call_service(const ServiceRequest& request, const std::atomic<bool>& stop);

}  // namespace mlps::http
