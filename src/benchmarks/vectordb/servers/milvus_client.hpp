#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "benchmarks/vectordb/servers/grpc_channel.hpp"
#include "benchmarks/vectordb/servers/protobuf.hpp"
#include "benchmarks/vectordb/settings.hpp"

/// Connections to Milvus. Field numbers and meanings are those of milvus-proto.
namespace mlps::vectordb {

inline constexpr const char* kMilvusVectorField = "vector";
inline constexpr uint64_t kMilvusFloatVector = 101;

/// Returns a KeyValuePair.
ProtoWriter milvus_pair(std::string_view key, std::string_view value);

/// One connection, spoken to by one thread at a time.
class MilvusClient {
 public:
  /// Connects; the token, or user and password, and the database go with every call. `settings` must outlive it.
  static Result<std::unique_ptr<MilvusClient>> open(const Settings& settings);

  /// Calls a method whose answer has a status in field `status_field`, or is one (0). A rate limit is waited for.
  Result<std::string_view> call(std::string_view method, const ProtoWriter& request, uint32_t status_field = 1);

  /// Returns a request for the collection: its name in `name_field`, and the database's in `database_field`.
  ProtoWriter request(uint32_t name_field = 3, uint32_t database_field = 2) const;

  void stop() {  ///< any thread may call it
    stopped_ = true;
    channel_->stop();
  }
  const std::string& version() const { return version_; }

 private:
  MilvusClient(const Settings& settings, std::unique_ptr<GrpcChannel> channel)
      : settings_(settings), channel_(std::move(channel)) {}

  Status connect();

  const Settings& settings_;
  std::unique_ptr<GrpcChannel> channel_;
  std::atomic<bool> stopped_ = false;
  std::string version_;
};

/// Returns a worker's session on a connection of its own.
std::unique_ptr<SearchSession> make_milvus_session(std::unique_ptr<MilvusClient> client, Metric metric, IndexKind index,
                                                   uint32_t dimension);

}  // namespace mlps::vectordb
