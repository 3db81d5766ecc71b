#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <filesystem>
#include <fstream>

#include "scripted_server.hpp"
#include "storage/s3/credentials.hpp"

namespace mlps::s3 {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

inline std::string in_an_hour() {
  const std::string compact = amz_time(time(nullptr) + 3600);
  return compact.substr(0, 4) + "-" + compact.substr(4, 2) + "-" + compact.substr(6, 5) + ":" + compact.substr(11, 2) +
         ":" + compact.substr(13, 2) + "Z";
}

/// A home with files, a server, and the variables that are set.
class KeysTest : public ::testing::Test {
 protected:
  KeysTest() {
    char name[] = "/tmp/mlps_keys_test_XXXXXX";
    home = mkdtemp(name);
    std::filesystem::create_directory(home + "/.aws");
    set("HOME", home);
  }
  ~KeysTest() override { std::filesystem::remove_all(home); }

  void set(const std::string& name, std::string value) { variables.set(name, std::move(value)); }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(home + "/" + name) << text;
    return home + "/" + name;
  }

  Result<std::shared_ptr<KeySource>> source() {
    profiles = Profiles::read(variables);
    if (!profiles) return fail(profiles.error());
    return find_credentials({variables, *profiles, "eu-1", {}});
  }
  /// The access key, and where it comes from; or the error.
  std::string found() {
    const auto keys = source();
    if (!keys) return render(keys.error());
    const auto value = (*keys)->get();
    if (!value) return render(value.error());
    const Credentials& all = **value;
    // What belongs together comes together.
    EXPECT_THAT(all.session_token, ::testing::AnyOf("", "token-of-" + all.access_key));
    EXPECT_EQ(all.secret_key, all.access_key.empty() ? "" : "secret-of-" + all.access_key);
    return all.access_key + " from " + (*keys)->source();
  }
  static std::string pair(const std::string& name) {
    return "aws_access_key_id = " + name + "\naws_secret_access_key = secret-of-" + name + "\n";
  }
  void set_keys(const std::string& name) {
    set("AWS_ACCESS_KEY_ID", name);
    set("AWS_SECRET_ACCESS_KEY", "secret-of-" + name);
  }
  void serve(const std::string& method, const std::string& part, const std::string& body, int status = 200) {
    server.inject(method, part, {.status = status, .body = body}, 1000);
  }

  std::string home;
  Environment variables;
  Result<Profiles> profiles;
  test::ScriptedServer server;
};

}  // namespace mlps::s3
