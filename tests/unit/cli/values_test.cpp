#include "flags/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lines.hpp"
#include "scratch.hpp"

namespace mlps::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Status checked(std::string_view name, std::string_view text, Mode mode = Mode::kClosed) {
  return check_value(*test::command("whatif checkpointing run").find_flag(name), mode, text);
}

TEST(Values, NumbersHaveRanges) {
  for (const char* text : {"1", "8", "1048576"}) EXPECT_TRUE(checked("num-processes", text)) << text;
  for (const char* text : {"0", "-1", "1048577", "8x", "x", "", " 8", "8.0", "1e3", "99999999999999999999999"}) {
    const Status status = checked("num-processes", text);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code, ErrorCode::kConfigInvalid);
    EXPECT_NE(status.error().message.find("--num-processes"), std::string::npos);
    EXPECT_NE(status.error().message.find("1 to 1,048,576"), std::string::npos) << status.error().message;
  }
  EXPECT_TRUE(checked("seed", "18446744073709551615"));
  EXPECT_FALSE(checked("seed", "18446744073709551616"));
  for (const char* text : {"0", "-1", "nan", "inf", "x", "1,5"}) EXPECT_FALSE(checked("size-scale", text)) << text;
  EXPECT_TRUE(checked("size-scale", "1e-3"));
}

TEST(Values, SizesHaveUnitsAndRanges) {
  EXPECT_TRUE(checked("io-part-size", "16MiB"));
  EXPECT_TRUE(checked("io-part-size", "5GiB"));
  EXPECT_FALSE(checked("io-part-size", "6GiB"));
  EXPECT_FALSE(checked("io-part-size", "1KiB"));
  EXPECT_FALSE(checked("io-part-size", "big"));
}

TEST(Values, ChoicesSuggest) {
  const Status model = checked("model", "llama3-80b");
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("llama3-8b, llama3-70b, llama3-405b, llama3-1t"), std::string::npos);
  EXPECT_NE(model.error().suggestion.find("did you mean"), std::string::npos);
  EXPECT_TRUE(checked("stream-log-level", "warning"));
  const Status h100 = checked("accelerator-type", "h100");
  ASSERT_FALSE(h100);
  EXPECT_NE(h100.error().suggestion.find("whatif"), std::string::npos);
  EXPECT_TRUE(checked("accelerator-type", "h100", Mode::kWhatif));
  EXPECT_NE(checked("exec-type", "docker").error().suggestion.find("container"), std::string::npos);
}

TEST(Values, LabelsAreOneLineOfText) {
  for (const char* text : {"new firmware, 2nd try", "=SUM(A1)", "M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(checked("label", text)) << text;
  }
  EXPECT_TRUE(checked("label", std::string(200, 'x')));
  for (const std::string& text :
       {std::string(), std::string(201, 'x'), std::string("a\nb"), std::string("a\tb"), std::string("\x1b[31m"),
        std::string("a\0b", 3), std::string("\x7f"), std::string("\xc2\x9b"), std::string("\xff"), std::string("\xc3"),
        std::string("\xc0\x80"), std::string("\xe0\x80\x80"), std::string("\xed\xa0\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("\xf0\x80\x80\x80"), std::string("\x80")}) {
    const Status status = checked("label", text);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code, ErrorCode::kConfigInvalid);
    EXPECT_NE(status.error().message.find("--label"), std::string::npos);
  }
}

TEST(Values, SystemNamesAreFolderNames) {
  EXPECT_TRUE(checked("systemname", "my-system_1"));
  EXPECT_FALSE(checked("systemname", "../up"));
  EXPECT_FALSE(checked("systemname", "a/b"));
}

TEST(Values, HostsAreSplitAndChecked) {
  const auto hosts = parse_hosts({"h1,h2:4", " 10.0.0.1:2 h3 "});
  ASSERT_TRUE(hosts);
  EXPECT_THAT(*hosts, ElementsAre("h1", "h2:4", "10.0.0.1:2", "h3"));
  for (const char* text : {"h:0", "h:-1", "h:x", "h:", ":4", "-h", "a/b", "[::1]", "h,h:2", "h:1:2", ",", ""}) {
    EXPECT_FALSE(parse_hosts({text})) << text;
  }
}

TEST(Values, PairsSplitAtTheFirstEquals) {
  const Settings settings = {{"params", {{"a.b=c=d", "x="}, Source::kTyped, "flag"}}};
  std::vector<Error> errors;
  const CommandSyntax command = test::command("open checkpointing run");
  Reader reader(settings, command, errors);
  EXPECT_THAT(reader.pairs("params"), ElementsAre(Pair("a.b", "c=d"), Pair("x", "")));
  EXPECT_TRUE(errors.empty());
}

TEST(Values, PairsOfAnotherShapeAreAllNamed) {
  const Settings settings = {
      {"params", {{"novalue", "=x", "storage.uri_scheme=s3"}, Source::kConfigFile, "config file f"}}};
  std::vector<Error> errors;
  const CommandSyntax command = test::command("open checkpointing run");
  Reader reader(settings, command, errors);
  EXPECT_TRUE(reader.pairs("params").empty());
  EXPECT_EQ(errors.size(), 3u);
  EXPECT_TRUE(test::has_error(errors, ErrorCode::kConfigInvalid, "'novalue' is not of the form key=value"));
  EXPECT_TRUE(test::has_error(errors, ErrorCode::kConfigInvalid, "storage.storage_options.uri_scheme"));
  EXPECT_TRUE(test::has_error(errors, ErrorCode::kConfigInvalid, "from config file f"));
}

TEST(Values, AWrongValueNamesItsOriginAndLeavesTheDefault) {
  const Settings settings = {{"num-checkpoints-read", {{"many"}, Source::kConfigFile, "config file f"}}};
  std::vector<Error> errors;
  const CommandSyntax command = test::command("open checkpointing run");
  Reader reader(settings, command, errors);
  EXPECT_EQ(reader.integer("num-checkpoints-read"), 10u);
  EXPECT_TRUE(test::has_error(errors, ErrorCode::kConfigInvalid, "from config file f"));
}

}  // namespace
}  // namespace mlps::cli
