#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "results/json_text.hpp"
#include "results/redact.hpp"
#include "results/text_table.hpp"
#include "sample.hpp"

namespace mlps::results {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(JsonText, NumbersThatAreNotFiniteBecomeNull) {
  const Json json = {{"a", std::nan("")}, {"b", std::numeric_limits<double>::infinity()}, {"c", 1.5}};
  for (const std::string& text : {indented(json, 2), compact_rows(json), yaml(json)}) {
    EXPECT_THAT(text, Not(HasSubstr("nan")));
    EXPECT_THAT(text, Not(HasSubstr("inf")));
  }
  EXPECT_EQ(compact_rows(json), "{\"a\":null,\"b\":null,\"c\":1.5}\n");
}

TEST(JsonText, BrokenUtf8IsReplacedNotThrown) {
  const Json json = {{"a", "x\xFFy"}};
  EXPECT_EQ(nlohmann::json::parse(indented(json, 2))["a"], "x\xEF\xBF\xBDy");
}

TEST(JsonText, RowsStandOnOneLineAndEverythingParsesBack) {
  const Json json = {{"z", 1}, {"rows", {{{"a", 1}, {"b", "q\"uote"}}, {{"a", 2}}}}, {"none", Json::array()}};
  EXPECT_EQ(
      compact_rows(json),
      "{\n  \"z\": 1,\n  \"rows\": [\n    {\"a\":1,\"b\":\"q\\\"uote\"},\n    {\"a\":2}\n  ],\n  \"none\": []\n}\n");
  EXPECT_EQ(parse_json(compact_rows(json)), parse_json(json.dump()));
  EXPECT_EQ(parse_json(json.dump())->dump(), json.dump());
}

TEST(JsonText, YamlScalarsHaveTheTypesAReaderGivesThem) {
  EXPECT_EQ(yaml_scalar("True"), Json(true));
  EXPECT_EQ(yaml_scalar("false"), Json(false));
  EXPECT_EQ(yaml_scalar("10"), Json(10));
  EXPECT_EQ(yaml_scalar("10").dump(), "10");
  EXPECT_EQ(yaml_scalar("-1"), Json(-1));
  EXPECT_EQ(yaml_scalar("0.9"), Json(0.9));
  EXPECT_TRUE(yaml_scalar("").is_null());
  EXPECT_EQ(yaml_scalar("'10'"), Json("10"));
  EXPECT_EQ(yaml_scalar("checkpoints/llama_8b"), Json("checkpoints/llama_8b"));
  EXPECT_EQ(yaml_scalar("nan"), Json("nan"));
  EXPECT_EQ(yaml_scalar("1.2.3"), Json("1.2.3"));
}

TEST(JsonText, YamlQuotesWhatCouldBeReadOtherwise) {
  const Json json = {{"plain", "a/b=c"}, {"word", "yes"},        {"number", "10"},        {"colon", "a: b"},
                     {"empty", ""},      {"list", {"x", "- y"}}, {"map", Json::object()}, {"flag", true}};
  EXPECT_EQ(yaml(json),
            "plain: a/b=c\nword: \"yes\"\nnumber: \"10\"\ncolon: \"a: b\"\nempty: \"\"\nlist:\n  - x\n  - \"- y\"\n"
            "map: {}\nflag: true\n");
}

TEST(JsonText, StampsInUtcWithOffset) {
  EXPECT_EQ(iso_utc_us(sample::kWallUs), "2026-07-04T05:00:40.123456+00:00");
}

TEST(Redact, NamesOfCredentials) {
  for (const char* name : {"aws_secret_access_key", "AWS_ACCESS_KEY_ID", "--secret-key", "session_token", "Password",
                           "storage.storage_options.access_key", "AZURE_STORAGE_CONNECTION_STRING"}) {
    EXPECT_TRUE(names_secret(name)) << name;
  }
  for (const char* name : {"checkpoint_folder", "endpoint", "payload signing", "num_processes", "message", "key"}) {
    EXPECT_FALSE(names_secret(name)) << name;
  }
}

TEST(Redact, CommandLines) {
  const std::vector<std::string> argv = {"run",
                                         "--secret-key",
                                         "hunter2",
                                         "--params",
                                         "storage.secret_access_key=hunter2",
                                         "http://user:hunter2@host:1/p@q",
                                         "--password=hunter2",
                                         "s3://bucket/token/x"};
  EXPECT_THAT(without_secrets(argv),
              ElementsAre("run", "--secret-key", "***", "--params", "storage.secret_access_key=***",
                          "http://***@host:1/p@q", "--password=***", "s3://bucket/token/x"));
}

TEST(Redact, TextsAndSignedUrls) {
  EXPECT_EQ(without_secrets(std::string_view("GET http://h/o?partNumber=3&X-Amz-Signature=abc&x=1 failed")),
            "GET http://h/o?partNumber=3&X-Amz-Signature=***&x=1 failed");
  EXPECT_EQ(without_secrets(std::string_view("a=b c=d")), "a=b c=d");
  EXPECT_EQ(without_secrets(std::string_view("")), "");
}

TEST(Redact, JsonAtEveryDepth) {
  Json json = {
      {"a", {{"secret_key", "hunter2"}, {"list", {"password=hunter2", 7}}}}, {"use_token", true}, {"token", nullptr}};
  mask_secrets(json);
  EXPECT_THAT(json.dump(), Not(HasSubstr("hunter2")));
  EXPECT_EQ(json["use_token"], Json(true));
  EXPECT_TRUE(json["token"].is_null());
  EXPECT_EQ(json["a"]["list"].items()[1], Json(7));
}

TEST(TextTable, LongValuesContinueBelowAndLongWordsStayWhole) {
  LabelledLines lines(8);
  const std::string path = "/" + std::string(150, 'p');
  lines.add("words", std::string(60, 'a') + ' ' + std::string(60, 'b'));
  lines.add("path", path);
  EXPECT_EQ(lines.text(), "  words     " + std::string(60, 'a') + "\n            " + std::string(60, 'b') +
                              "\n  path      " + path + "\n");
}

TEST(TextTable, ColumnsAreAlignedByCharacters) {
  EXPECT_EQ(aligned_rows({{"a", "1"}, {"\xC3\xA4\xC3\xB6", "1000"}, {"c"}}, 1),
            " a      1\n \xC3\xA4\xC3\xB6  1000\n c\n");
}

}  // namespace
}  // namespace mlps::results
