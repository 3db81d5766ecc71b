#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scripted_server.hpp"
#include "storage/object/settings.hpp"
#include "storage/store.hpp"

namespace mlps::test {

enum class Protocol { kS3, kAzure, kGoogle };
inline constexpr size_t kProtocols = 3;

/// A request as the campaign knows it.
struct Asked {
  std::string kind;      ///< "PutObject", "Put Block", ...
  std::string identity;  ///< the same for all attempts at the same thing, and from run to run
};

/// The service of one protocol, in memory behind some ports of a scripted server, with a store at its "run 1".
class Service {
 public:
  virtual ~Service() = default;

  virtual const char* name() const = 0;
  virtual Protocol protocol() const = 0;
  virtual std::unique_ptr<storage::Store> open(const object::TransferSettings& settings) = 0;
  virtual Asked asked(const Request& request) const = 0;
  virtual Reply error_reply(int status, const std::string& code) const = 0;

  /// Returns what is stored below "run 1", by name, without what belongs to unfinished uploads.
  virtual std::map<std::string, std::string> objects() = 0;
  /// Returns how many uploads, blocks or temporary objects are left of writes.
  virtual size_t left() = 0;

  virtual uint64_t part_bytes() const = 0;
  virtual uint64_t large_bytes() const = 0;  ///< size of an object that has several parts

  ScriptedServer& server() { return *server_; }

 protected:
  explicit Service(size_t ports) : server_(std::make_unique<ScriptedServer>(ports)) {}
  /// Ends the server, which calls into the derived class.
  void end() { server_.reset(); }

 private:
  std::unique_ptr<ScriptedServer> server_;
};

std::unique_ptr<Service> make_service(Protocol protocol, size_t ports);

/// The names of all kinds of request that Service::asked() tells apart.
std::vector<std::string> request_kinds(Protocol protocol);
/// Whether a kind of request looks at the bucket alone, as those do that find out whether a server is back.
bool looks_at_bucket(const std::string& kind);

}  // namespace mlps::test
