#pragma once

#include <map>
#include <string>
#include <vector>

#include "../s3/scripted_server.hpp"

namespace mlps::test {

/// Plays Azure's Blob service in memory for one container, "/acct/box". Not thread-safe: the scripted server calls
/// answer() with its lock held, and tests look at it between requests.
class FakeBlobs {
 public:
  Reply answer(const Request& request);

  struct Stored {
    std::string bytes;
    std::string etag;
    std::map<std::string, std::string> blocks = {};  ///< committed ones, by id
    std::string write = {};                          ///< of the metadata that names a write
  };
  std::map<std::string, Stored> blobs;                                    ///< by name
  std::map<std::string, std::map<std::string, std::string>> uncommitted;  ///< blocks by name and id

 private:
  Reply list(const Request& request) const;
  Reply put_blob(const std::string& name, const Request& request);
  Reply put_block(const std::string& name, const Request& request);
  Reply put_block_list(const std::string& name, const Request& request);
  Reply remove(const std::string& name, const Request& request);
  Reply created(const std::string& name, Stored stored);

  uint64_t versions_ = 1000;
};

/// An error of the Blob service: its code stands in the body and in a header.
Reply blob_error_reply(int status, const std::string& code, const std::string& message = "said the server");

}  // namespace mlps::test
