#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "benchmarks/vectordb/settings.hpp"

namespace mlps::vectordb {

/// One connection to a gRPC server: unary calls over HTTP/2, one at a time, which libcurl carries. Used by one thread
/// at a time, except stop(). Errors hold the server's words: E601 no connection or UNAVAILABLE, E602 not allowed, E202
/// no answer in time, E604 RESOURCE_EXHAUSTED, E902 UNIMPLEMENTED, E203 after stop(), E605 what is no gRPC, else E201.
class GrpcChannel {
 public:
  /// Makes a channel; nothing is sent. `service` is the path of the service: "milvus.proto.milvus.MilvusService".
  static Result<std::unique_ptr<GrpcChannel>> make(const ServerAddress& server, std::string service);
  virtual ~GrpcChannel() = default;

  /// Adds a header to every later call. Neither part may hold CR or LF.
  virtual void set_header(std::string_view name, std::string_view value) = 0;

  /// Calls a method. The answer is valid until the next call.
  virtual Result<std::string_view> call(std::string_view method, std::string_view message) = 0;

  /// Makes a call under way, and every later one, end within a second with E203. Any thread may call it.
  virtual void stop() = 0;
};

/// Returns the message in the body of an answer: behind a byte that says it is not compressed, and its length. E605 for
/// anything else.
Result<std::string_view> grpc_message(std::string_view body);

}  // namespace mlps::vectordb
