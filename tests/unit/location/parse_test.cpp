#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "location/location.hpp"

namespace mlps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(std::string_view text) {
  const auto location = parse_location(text);
  return location ? location->to_string() : "refused: " + location.error().message;
}

Error parse_refusal_of(std::string_view text) {
  const auto location = parse_location(text);
  if (location) {
    ADD_FAILURE() << text << " was taken as " << location->to_string();
    return {};
  }
  EXPECT_FALSE(location.error().suggestion.empty()) << text;
  return location.error();
}

TEST(ParseLocation, TakesBucketAndPrefixApart) {
  const auto location = parse_location("s3://bucket/some/prefix");
  ASSERT_TRUE(location);
  EXPECT_EQ(location->scheme(), Scheme::kS3);
  EXPECT_EQ(location->bucket(), "bucket");
  EXPECT_EQ(location->path(), "some/prefix");
  EXPECT_TRUE(location->is_object_store());
  EXPECT_FALSE(location->is_file_system());
  EXPECT_EQ(*location, Location(Scheme::kS3, "bucket", "some/prefix"));
}

TEST(ParseLocation, GivesBackWhatPeopleTyped) {
  for (const char* text : {"s3://b", "s3://b/p", "s3://b/p/q", "gs://b", "gs://b/p", "az://account/container",
                           "az://account/container/p/q", "direct:///mnt/x", "/mnt/x", "/", "null://", "null://x/y"}) {
    EXPECT_EQ(text_of(text), text);
  }
}

TEST(ParseLocation, SchemesAreCaseInsensitiveAndHaveAliases) {
  EXPECT_EQ(text_of("S3://b/P"), "s3://b/P");
  EXPECT_EQ(text_of("gcs://b/p"), "gs://b/p");
  EXPECT_EQ(text_of("Azure://a/c"), "az://a/c");
  EXPECT_EQ(text_of("FILE:///mnt/x"), "/mnt/x");
  EXPECT_EQ(text_of("NULL://"), "null://");
}

TEST(ParseLocation, TrailingSlashesAreDropped) {
  EXPECT_EQ(text_of("s3://b/"), "s3://b");
  EXPECT_EQ(text_of("s3://b/p//"), "s3://b/p");
  EXPECT_EQ(text_of("az://a/c/"), "az://a/c");
  EXPECT_EQ(text_of("/mnt/x/"), "/mnt/x");
  EXPECT_EQ(text_of("///"), "/");
}

TEST(ParseLocation, AzureNeedsAccountAndContainer) {
  const auto location = parse_location("az://account/container/p");
  ASSERT_TRUE(location);
  EXPECT_EQ(location->bucket(), "account/container");
  EXPECT_EQ(location->path(), "p");
  EXPECT_THAT(parse_refusal_of("az://container").message, HasSubstr("no container"));
  EXPECT_THAT(parse_refusal_of("az://account//p").message, HasSubstr("no container"));
}

// O25
TEST(ParseLocation, AnArnIsNoBucket) {
  const Error error = parse_refusal_of("s3://arn:aws:s3:us-east-1:1:accesspoint/a/p");
  EXPECT_THAT(error.message, HasSubstr("an ARN can't be a bucket"));
  EXPECT_THAT(error.suggestion, HasSubstr("-s3alias"));
}

TEST(ParseLocation, ARelativePathIsAbsoluteAgainstTheWorkingDirectory) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(text_of("ckpt/x"), here + "/ckpt/x");
  EXPECT_EQ(text_of("./ckpt//x/."), here + "/ckpt/x");
  EXPECT_EQ(text_of("."), here);
  EXPECT_EQ(text_of("file://./x"), here + "/x");
  EXPECT_EQ(text_of("direct://../x"), "direct://" + here + "/../x");
}

TEST(ParseLocation, DotDotInAPathIsLeftToTheKernel) {
  // /mnt/link/.. is not /mnt when link points elsewhere.
  EXPECT_EQ(text_of("/mnt/link/../x"), "/mnt/link/../x");
}

TEST(ParseLocation, APathKeepsCharactersThatOnlyUrisGiveAMeaning) {
  EXPECT_EQ(text_of("/mnt/a#b?c d"), "/mnt/a#b?c d");
  EXPECT_EQ(text_of("/mnt/a:b"), "/mnt/a:b");
}

TEST(ParseLocation, AVanishedWorkingDirectoryIsAnErrorNotACrash) {
  const auto before = std::filesystem::current_path();
  char folder[] = "/tmp/mlps_location_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  ASSERT_EQ(chdir(folder), 0);
  ASSERT_EQ(rmdir(folder), 0);
  const auto location = parse_location("ckpt");
  std::filesystem::current_path(before);
  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().code, ErrorCode::kPathNotFound);
  EXPECT_THAT(location.error().message, HasSubstr("ckpt"));
}

TEST(ParseLocation, RefusesByName) {
  struct Case {
    const char* text;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"", "empty"},
      {"s3://s3://b", "more than one \"://\""},
      {"s3://b/s3://c", "more than one \"://\""},
      {"s3:///b://c", "more than one \"://\""},
      {"s3://://", "more than one \"://\""},
      {"/mnt/s3://b", "inside a path"},
      {"s3a://b/p", "unknown scheme \"s3a\""},
      {"ftp://b/p", "unknown scheme \"ftp\""},
      {"://b/p", "unknown scheme \"\""},
      {"https://storage.example.com/c/p", "unknown scheme \"https\""},
      {"s3://", "no bucket"},
      {"s3:///p", "no bucket"},
      {"gs://", "no bucket"},
      {"az://", "no storage account"},
      {"s3:/b/p", "followed by \"://\""},
      {"s3:b", "followed by \"://\""},
      {"file:/mnt/x", "followed by \"://\""},
      {"s3://b/p?versionId=1", "query or fragment"},
      {"s3://b/p#x", "query or fragment"},
      {"s3://b//p", "empty component"},
      {"s3://b/p//q", "empty component"},
      {"s3://b/./p", "\".\" has no meaning"},
      {"s3://b/p/..", "\"..\" has no meaning"},
      {"null://a/../b", "\"..\" has no meaning"},
      {"s3://../p", "can't be a bucket"},
      {"s3://my bucket/p", "can't be a bucket"},
      {"s3://b\\p", "can't be a bucket"},
      {"s3://127.0.0.1:7480/b/p", "host and port"},
      {"file://", "no path"},
      {"file://host/x", "would be a host"},
      {"direct://mnt/x", "would be a host"},
      {"s3://b/p\n", "control character"},
      {"/mnt/\x01x", "control character"},
      {"/mnt/\x7fx", "control character"},
  };
  for (const Case& bad : cases) {
    const Error error = parse_refusal_of(bad.text);
    EXPECT_EQ(error.code, ErrorCode::kConfigInvalid) << bad.text;
    EXPECT_THAT(error.message, HasSubstr(bad.reason)) << bad.text;
  }
  EXPECT_EQ(parse_refusal_of(std::string_view("s3://b/\0x", 9)).code, ErrorCode::kConfigInvalid);
}

TEST(ParseLocation, TheHintsLeadOn) {
  EXPECT_THAT(parse_refusal_of("s3a://b/p").suggestion, HasSubstr("s3://"));
  EXPECT_THAT(parse_refusal_of("http://127.0.0.1:9000/b").suggestion, HasSubstr("AWS_ENDPOINT_URL"));
  EXPECT_THAT(parse_refusal_of("direct://mnt/x").suggestion, HasSubstr("direct:///mnt/x"));
}

TEST(ParseLocation, NoErrorShowsACredential) {
  for (const char* text : {"s3://KEYID:hunter2@bucket/p", "s3://KEYID:hunter2/x@bucket/p",
                           "https://host/b?X-Amz-Signature=hunter2", "s3://b/p?sig=hunter2"}) {
    const std::string rendered = render(parse_refusal_of(text));
    EXPECT_THAT(rendered, Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(rendered, Not(HasSubstr("KEYID"))) << text;
  }
}

TEST(ParseLocation, AnErrorShowsNoControlCharacterAndNoEndlessText) {
  EXPECT_THAT(parse_refusal_of("s3://b/\x1b[31mred").message, Not(HasSubstr("\x1b")));
  EXPECT_LT(parse_refusal_of("x://" + std::string(100000, 'a')).message.size(), 1000U);
}

TEST(Location, JoinAddsOneSlash) {
  EXPECT_EQ(parse_location("s3://b")->join("m").to_string(), "s3://b/m");
  EXPECT_EQ(parse_location("s3://b/p/")->join("m").to_string(), "s3://b/p/m");
  EXPECT_EQ(parse_location("az://a/c")->join("m").to_string(), "az://a/c/m");
  EXPECT_EQ(parse_location("/")->join("m").to_string(), "/m");
  EXPECT_EQ(parse_location("/mnt")->join("m/n").to_string(), "/mnt/m/n");
  EXPECT_EQ(parse_location("direct:///mnt")->join("m").to_string(), "direct:///mnt/m");
  EXPECT_EQ(parse_location("null://")->join("m").to_string(), "null://m");
}

TEST(Location, KeyOfIsWhatTheClientSends) {
  EXPECT_EQ(parse_location("s3://b")->key_of("m/x.pt"), "m/x.pt");
  EXPECT_EQ(parse_location("s3://b/p")->key_of("m/x.pt"), "p/m/x.pt");
  EXPECT_EQ(parse_location("az://a/c/p")->key_of("x"), "p/x");
  EXPECT_EQ(parse_location("/")->key_of("x"), "/x");
  EXPECT_EQ(parse_location("/mnt/c")->key_of("x"), "/mnt/c/x");
  EXPECT_EQ(parse_location("null://")->key_of("x"), "x");
}

TEST(Location, EveryTextParsesBackToTheSameValue) {
  for (const Location& location :
       {Location(Scheme::kS3, "b", "p/q"), Location(Scheme::kGs, "b", ""), Location(Scheme::kAzure, "a/c", "p"),
        Location(Scheme::kFile, "", "/mnt/x"), Location(Scheme::kDirect, "", "/"), Location(Scheme::kNull, "", "")}) {
    const auto again = parse_location(location.to_string());
    ASSERT_TRUE(again) << location.to_string();
    EXPECT_EQ(*again, location);
  }
}

}  // namespace
}  // namespace mlps
