#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mlps::object {

/// The next step after an attempt.
enum class Action : uint8_t {
  kAccept,
  kRetry,          ///< transient: short back-off
  kThrottled,      ///< the server asked for less: long back-off, Retry-After
  kRepeat,         ///< an idle connection had gone stale: again at once
  kFailOver,       ///< nothing was sent: the next server, else as kRetry
  kWithoutExpect,  ///< the server knows no "Expect: 100-continue": again at once, without it
  kSkewed,         ///< clocks differ: correct once, then fatal
  kAdapt,          ///< RequestWriter::adapt() may find another way (a new token, another region): once, then fatal
  kFail
};

struct Verdict {
  Action action = Action::kAccept;
  ErrorCode code = ErrorCode::kInternal;
  std::string happened = {};  ///< "HTTP 503 SlowDown: Please reduce your request rate"
  std::string server_code = {};
  std::string request_id = {};
  std::string region = {};   ///< the right region, where the server names it
  bool answer_lost = false;  ///< the server may have carried the request out nevertheless
};

/// The content of an answer with an error. Texts fit on one line.
struct ServerError {
  std::string code;     ///< the server's own word, "SlowDown" or "BlobNotFound"; empty: none
  std::string message;  ///< the server's words
  std::string request_id;
  std::string region;  ///< where the server names the right one
};

/// What a server's error code means, where its status doesn't say enough.
struct ErrorRule {
  std::string_view server_code;
  Action action;
  ErrorCode code;
};

}  // namespace mlps::object
