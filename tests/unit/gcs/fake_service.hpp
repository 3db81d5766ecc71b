#pragma once

#include <map>
#include <string>
#include <vector>

#include "../s3/scripted_server.hpp"

namespace mlps::test {

/// Plays Google's JSON API in memory for one bucket, "bkt". Not thread-safe: the scripted server calls answer() with
/// its lock held, and tests look at it between requests.
class FakeService {
 public:
  Reply answer(const Request& request);

  struct Stored {
    std::string bytes;
    uint64_t generation = 0;
  };
  std::map<std::string, Stored> objects;  ///< by key
  std::vector<size_t> composed;           ///< components of every compose, in order
  std::string token;                      ///< what requests must carry; empty: none is asked for
  bool honours_generations = true;        ///< as Google does, and fake-gcs-server does not
  bool announces_hashes = true;

  void put(const std::string& key, std::string bytes) { objects[key] = {std::move(bytes), ++generations_}; }
  size_t pieces() const;  ///< temporary objects that are there

 private:
  Reply upload(const Request& request);
  Reply compose(const std::string& key, const std::string& body);
  Reply media(const Request& request, const Stored& stored) const;
  Reply list(const Request& request) const;
  Reply batch(const Request& request);
  Reply describe(const std::string& key) const;

  uint64_t generations_ = 1000;
};

/// An error body of the JSON API.
Reply json_error_reply(int status, const std::string& reason, const std::string& message = "said the server");

}  // namespace mlps::test
