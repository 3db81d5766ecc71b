#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "storage/s3/call.hpp"
#include "storage/s3/xml.hpp"

namespace mlps::s3 {

/// What to do after an attempt.
enum class Action : uint8_t {
  kAccept,
  kRetry,      ///< transient: short back-off
  kThrottled,  ///< the server asked for less: long back-off, Retry-After
  kRepeat,     ///< an idle connection had gone stale: again at once
  kFailOver,   ///< nothing was sent: the next endpoint, else as kRetry
  kSkewed,     ///< clocks differ: correct once, then fatal
  kFail
};

struct Verdict {
  Action action = Action::kAccept;
  ErrorCode code = ErrorCode::kInternal;
  std::string happened = {};  ///< "HTTP 503 SlowDown: Please reduce your request rate"
  std::string server_code = {};
  std::string request_id = {};
  std::string region = {};   ///< the right region, where the server names it
  bool answer_lost = false;  ///< the server may have done it all the same
};

/// Judges the attempt in `call.exchange`.
Verdict judge(const Call& call);

/// The part of judge() for answers with an error: by server code, else by status.
Verdict judge_error(int status, const ServerError& error);

}  // namespace mlps::s3
