#include "storage/gcs/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::gcs {
namespace {

using ::testing::HasSubstr;

TEST(Answers, AnObjectAsTheApiDescribesIt) {
  const auto object = parse_object(R"({"kind":"storage#object","name":"a b/\u00e9","size":"5368709121",)"
                                   R"("generation":"1795898463875305","crc32c":"4waSgw=="})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->name, "a b/\xc3\xa9");
  EXPECT_EQ(object->size_bytes, 5368709121U);
  EXPECT_EQ(object->crc32c, 0xe3069283U);  // the published check value of "123456789"
  EXPECT_EQ(object->generation, "1795898463875305");
}

TEST(Answers, NumbersMayStandWithoutQuotesAndHashesMayBeAbsent) {
  const auto object = parse_object(R"({"name":"k","size":7})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->size_bytes, 7U);
  EXPECT_EQ(object->crc32c, std::nullopt);
  EXPECT_EQ(object->generation, "");
}

TEST(Answers, WhatIsNoObjectIsRefused) {
  for (const char* body : {"", " ", "null", "[]", "7", "{", "{}", R"({"name":"k"})", R"({"name":"","size":"1"})",
                           R"({"name":"k","size":"-1"})", R"({"name":"k","size":1.5})", R"({"name":"k","size":"0x10"})",
                           R"({"name":"k","size":"99999999999999999999"})", R"({"name":7,"size":"1"})", "<html>"}) {
    const auto object = parse_object(body);
    ASSERT_FALSE(object.has_value()) << body;
    EXPECT_EQ(object.error().code, ErrorCode::kStorageProtocol) << body;
  }
}

TEST(Answers, Lists) {
  const auto page = parse_list(R"({"kind":"storage#objects","nextPageToken":"t/+","items":[{"name":"a","size":"1"},)"
                               R"({"name":"b","size":"0"}]})");
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[1].name, "b");
  EXPECT_EQ(page->next_token, "t/+");
  for (const char* empty : {R"({"kind":"storage#objects"})", "{}", R"({"kind":"storage#objects","items":[]})"}) {
    const auto none = parse_list(empty);
    ASSERT_TRUE(none.has_value()) << empty;
    EXPECT_TRUE(none->objects.empty());
    EXPECT_EQ(none->next_token, "");
  }
}

TEST(Answers, AListThatIsNoneIsAnErrorAndNeverEmpty) {
  for (const char* body : {"", "[]", R"({"items":7})", R"({"items":[7]})", R"({"items":[{"name":"a"}]})",
                           R"({"nextPageToken":7,"items":[]})", R"({"nextPageToken":"","items":[]})",
                           R"({"error":"x"})", R"({"kind":"storage#bucket"})"}) {
    EXPECT_FALSE(parse_list(body).has_value()) << body;
  }
}

TEST(Answers, ErrorsOfTheApiOfTokenServicesAndOfOthers) {
  const auto api = parse_error_body(R"({"error":{"code":403,"message":"no\nright","errors":[{"domain":"global",)"
                                    R"("reason":"forbidden"}]}})");
  EXPECT_EQ(api.reason, "forbidden");
  EXPECT_EQ(api.message, "no right");
  const auto token = parse_error_body(R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  EXPECT_EQ(token.reason, "invalid_grant");
  EXPECT_EQ(token.message, "Invalid JWT Signature.");
  EXPECT_EQ(parse_error_body("Not Found\n").message, "Not Found");
  EXPECT_EQ(parse_error_body("").message, "");
  EXPECT_EQ(parse_error_body(R"({"error":{"errors":[7,{"reason":8}]}})").reason, "");
  EXPECT_LT(parse_error_body(std::string(100'000, 'x')).message.size(), 300U);
}

TEST(Answers, Tokens) {
  const auto token = parse_token(R"({"access_token":"ya29.a-b_c","expires_in":3599,"token_type":"Bearer"})");
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->value, "ya29.a-b_c");
  EXPECT_EQ(token->lifetime.count(), 3599);
  EXPECT_EQ(parse_token(R"({"access_token":"t","expires_in":18446744073709551615})")->lifetime.count(), 24 * 3600);
  for (const char* body :
       {"{}", R"({"access_token":"","expires_in":1})", R"({"access_token":"t"})",
        R"({"access_token":"a\r\nX: y","expires_in":1})", R"({"access_token":"a b","expires_in":1})",
        R"({"access_token":"t","expires_in":-5})", R"({"access_token":"t","expires_in":9,"token_type":"MAC"})"}) {
    const auto refused = parse_token(body);
    ASSERT_FALSE(refused.has_value()) << body;
    EXPECT_THAT(refused.error().message, ::testing::Not(HasSubstr("X: y")));
  }
}

TEST(Answers, HashesInHeaders) {
  EXPECT_EQ(object::crc32c_of(object::crc32c_text(0xdeadbeef)), 0xdeadbeefU);
  for (const char* text : {"", "4waSgw=", "4waSgw", "4waSgwAA", "!!!!!!==", "4waSgw===="}) {
    EXPECT_EQ(object::crc32c_of(text), std::nullopt) << text;
  }
  EXPECT_EQ(object::announced_crc32c("X-Goog-Hash: crc32c=4waSgw==,md5=abc\n"), 0xe3069283U);
  EXPECT_EQ(object::announced_crc32c("ETag: x\nx-goog-hash: md5=abc\nx-goog-hash: crc32c=4waSgw==\n"), 0xe3069283U);
  EXPECT_EQ(object::announced_crc32c("x-goog-hash: md5=abc\nx-goog-hashes: crc32c=4waSgw==\n"), std::nullopt);
}

}  // namespace
}  // namespace mlps::gcs
