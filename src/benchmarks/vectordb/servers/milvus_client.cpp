#include "benchmarks/vectordb/servers/milvus_client.hpp"

#include <fmt/format.h>

#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/waiting.hpp"
#include "benchmarks/vectordb/servers/milvus_answers.hpp"
#include "benchmarks/vectordb/servers/servers.hpp"

namespace mlps::vectordb {
namespace {

constexpr const char* kService = "milvus.proto.milvus.MilvusService";
constexpr Nanos kRatePauseNs = 500'000'000;
constexpr int kRateTries = 240;

class MilvusSession final : public SearchSession {
 public:
  MilvusSession(std::unique_ptr<MilvusClient> client, Metric metric, IndexKind index, uint32_t dimension)
      : client_(std::move(client)), metric_(metric), index_(index), dimension_(dimension) {}

  Status search(VectorView queries, const SearchParams& params, SearchAnswers& answers) override {
    if (Status fits = check_query(queries, dimension_, params); !fits) return fits;
    answers.reset(queries.rows(), params.k);
    const ProtoWriter request = search_request(queries, params);
    const Nanos begin = now_ns();
    const auto answer = client_->call("Search", request);
    answers.cost.wait_ns = now_ns() - begin;
    if (!answer) return fail(answer.error());
    return read_milvus_hits(proto_field(*answer, 2), metric_, answers);
  }

  void cancel() override { client_->stop(); }

 private:
  ProtoWriter search_request(VectorView queries, const SearchParams& params) const {
    ProtoWriter values, group;
    values.text(1, "$0").number(2, kMilvusFloatVector);
    for (size_t i = 0; i < queries.rows(); ++i) {
      const auto row = queries.row(i);
      values.bytes(3, {reinterpret_cast<const char*>(row.data()), row.size_bytes()});
    }
    group.message(1, values);
    const std::string_view word = effort_word(index_);
    const std::string effort = word.empty() ? "{}" : fmt::format("{{\"{}\": {}}}", word, params.effort);
    ProtoWriter request = client_->request();
    request.message(6, group).number(7, 1);
    request.message(9, milvus_pair("anns_field", kMilvusVectorField))
        .message(9, milvus_pair("topk", std::to_string(params.k)))
        .message(9, milvus_pair("metric_type", metric_name(metric_)))
        .message(9, milvus_pair("params", effort))
        .message(9, milvus_pair("round_decimal", "-1"))
        .message(9, milvus_pair("ignore_growing", "False"));
    request.number(12, queries.rows()).number(15, 1);
    return request;
  }

  std::unique_ptr<MilvusClient> client_;
  Metric metric_;
  IndexKind index_;
  uint32_t dimension_;
};

}  // namespace

ProtoWriter milvus_pair(std::string_view key, std::string_view value) {
  ProtoWriter pair;
  pair.text(1, key).text(2, value);
  return pair;
}

Result<std::unique_ptr<MilvusClient>> MilvusClient::open(const Settings& settings) {
  auto channel = GrpcChannel::make(settings.server, kService);
  if (!channel) return fail(channel.error());
  const ServerAddress& server = settings.server;
  std::string secret = server.token;
  if (secret.empty() && !server.user.empty()) secret = server.user + ":" + server.secret;
  if (!secret.empty()) {
    (*channel)->set_header("authorization", base64(std::as_bytes(std::span(secret))));
  }
  if (!server.database.empty()) (*channel)->set_header("dbname", server.database);
  std::unique_ptr<MilvusClient> client(new MilvusClient(settings, std::move(*channel)));
  if (Status met = client->connect(); !met) return fail(met.error());
  return client;
}

Result<std::string_view> MilvusClient::call(std::string_view method, const ProtoWriter& request,
                                            uint32_t status_field) {
  for (int attempt = 1;; ++attempt) {
    auto answer = channel_->call(method, request.taken());
    if (!answer) return answer;
    const Status good = milvus_status(method, status_field == 0 ? *answer : proto_field(*answer, status_field));
    if (good) return answer;
    const bool limited = good.error().code == ErrorCode::kStorageThrottled;
    if (!limited || attempt == kRateTries || stopped_) return fail(good.error());
    sleep_for(kRatePauseNs);
  }
}

ProtoWriter MilvusClient::request(uint32_t name_field, uint32_t database_field) const {
  ProtoWriter request;
  request.text(database_field, settings_.server.database).text(name_field, settings_.collection.name);
  return request;
}

Status MilvusClient::connect() {
  ProtoWriter client, request;
  client.text(1, "mlpstorage").text(2, "1").text(4, settings_.server.user).text(5, "client");
  request.message(2, client);
  const auto answer = channel_->call("Connect", request.taken());
  if (!answer) {
    // Older servers have no such call, and want none.
    return answer.error().code == ErrorCode::kNotImplemented ? Status() : Status(fail(answer.error()));
  }
  if (Status good = milvus_status("Connect", proto_field(*answer, 1)); !good) return good;
  version_ = fmt::format("Milvus {}", printable(proto_field(proto_field(*answer, 2), 1)));
  const uint64_t identifier = proto_number(*answer, 3);
  if (identifier != 0) channel_->set_header("identifier", std::to_string(identifier));
  return {};
}

std::unique_ptr<SearchSession> make_milvus_session(std::unique_ptr<MilvusClient> client, Metric metric, IndexKind index,
                                                   uint32_t dimension) {
  return std::make_unique<MilvusSession>(std::move(client), metric, index, dimension);
}

}  // namespace mlps::vectordb
