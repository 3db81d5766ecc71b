#include "rules/document.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rules/tree.hpp"
#include "rules/tree_digest.hpp"

namespace mlps::rules {
namespace {

TEST(Document, HasAnswersOnlyForWhatIsThere) {
  const auto document = parse_json_document(R"({"a": {"b": "8", "c": [1, "2"], "d": null}, "e": true, "f": "True"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->at("a.b").number(), 8.0);
  EXPECT_EQ(document->at("a.c").numbers(), (std::vector<double>{1, 2}));
  EXPECT_FALSE(document->at("a.d").has_value());
  EXPECT_TRUE(document->at("a.d").is_there());
  EXPECT_EQ((*document)["f"].boolean(), true);
  EXPECT_EQ((*document)["e"].number(), std::nullopt);
  EXPECT_EQ(document->at("a.b.c.d").text(), std::nullopt);
  EXPECT_EQ(document->at("x.y").size(), 0U);
  EXPECT_EQ(document->at("a.c").item(7).number(), std::nullopt);
  EXPECT_EQ(document->at("a.c")["key"].number(), std::nullopt);
}

TEST(Document, TakesTheLiteralsOfPythonAndNoOthers) {
  const auto document = parse_json_document(R"({"a": NaN, "b": -Infinity, "c": "NaN", "d": [Infinity, -1e3]})");
  ASSERT_TRUE(document);
  EXPECT_FALSE((*document)["a"].has_value());
  EXPECT_EQ((*document)["c"].text(), "NaN");
  EXPECT_EQ((*document)["d"].item(1).number(), -1000.0);
  for (const char* text : {"", "{", "NaNa", "{\"a\": nan}", "[1,]", "{\"a\" 1}", "\xff", "[1] [2]"}) {
    const auto refused = parse_json_document(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kConfigParse);
  }
}

TEST(Document, DepthHasALimit) {
  EXPECT_TRUE(parse_json_document(std::string(kDeepestDocument, '[') + std::string(kDeepestDocument, ']')));
  EXPECT_FALSE(parse_json_document(std::string(kDeepestDocument + 1, '[') + std::string(kDeepestDocument + 1, ']')));
  EXPECT_FALSE(parse_json_document(std::string(1'000'000, '[')));
  EXPECT_FALSE(parse_yaml_document(std::string(100'000, '[')));
}

TEST(Document, YamlTellsQuotedFromPlain) {
  const auto document = parse_yaml_document("a: 8\nb: '8'\nc: !!int \"8\"\nd: true\ne: [x, 1.5]\n");
  ASSERT_TRUE(document);
  EXPECT_TRUE((*document)["a"].is_number());
  EXPECT_TRUE((*document)["b"].is_text());
  EXPECT_TRUE((*document)["c"].is_number());
  EXPECT_EQ((*document)["d"].boolean(), true);
  EXPECT_EQ((*document)["e"].item(1).number(), 1.5);
}

TEST(Document, AliasesOfYamlCantMakeItLarge) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += "*a" + std::to_string(i - 1) + (j < 9 ? ", " : "]\n");
  }
  EXPECT_FALSE(parse_yaml_document(text));
}

class FilesOfRules : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("mlps_rules_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
};

TEST_F(FilesOfRules, NumbersAreStreamedWithTheirKeys) {
  std::string text = R"({"1": {"load": {"block1": [)";
  for (int i = 0; i < 50'000; ++i) text += "0.5, NaN, ";
  text += R"(1]}, "au": {"block1": 93.5}, "x": "1.25"}})";
  std::vector<std::pair<std::vector<std::string>, double>> found;
  size_t steps = 0;
  const Status read = stream_numbers(write("0_output.json", text), [&](const auto& keys, double value) {
    if (keys.size() == 3 && keys[1] == "load") {
      ++steps;
    } else {
      found.emplace_back(keys, value);
    }
  });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(steps, 50'001U);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].first, (std::vector<std::string>{"1", "au", "block1"}));
  EXPECT_EQ(found[0].second, 93.5);
  EXPECT_EQ(found[1].second, 1.25);
}

TEST_F(FilesOfRules, WhatIsNoJsonIsAnErrorHoweverLong) {
  const NumberSink nothing = [](const auto&, double) {};
  EXPECT_FALSE(stream_numbers(write("a", "PRUNED BY STAFF\n"), nothing));
  EXPECT_FALSE(stream_numbers(write("b", std::string(1'000'000, '[')), nothing));
  EXPECT_FALSE(stream_numbers(write("c", "{\"a\": [1, 2"), nothing));
  EXPECT_FALSE(stream_numbers(write("d", std::string(300'000, 'a')), nothing));
  EXPECT_FALSE(stream_numbers(folder_.string(), nothing));
  EXPECT_FALSE(stream_numbers((folder_ / "absent").string(), nothing));
}

TEST_F(FilesOfRules, AStreamTakesWhatIsJsonAndNothingElse) {
  double sum = 0;
  const NumberSink add = [&](const auto&, double value) { sum += value; };
  for (const auto& [text, expected] : {std::pair{"1", 1.0},
                                       {" [1, -2, 0.5e1, 1E+2]\n", 104.0},
                                       {R"({"a\u0041\"": [], "b": {}, "": "7"})", 7.0},
                                       {"[true, false, null, NaN, Infinity, -Infinity, 1e999, -0]", 0.0},
                                       {R"(["\u00e9\n", "x", "12"])", 12.0}}) {
    sum = 0;
    const Status read = stream_numbers(write("good", text), add);
    EXPECT_TRUE(read) << text << ": " << (read ? "" : read.error().message);
    EXPECT_EQ(sum, expected) << text;
  }
  for (const char* text : {"",    " ",     "1 2",     "01",        "1.",       ".5",        "1e",     "+1",
                           "--1", "1.2.3", "[1,]",    "[1 2]",     "{\"a\"}",  "{\"a\": }", "{a: 1}", "{\"a\": 1,}",
                           "[1}", "\"a",   "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "nul",       "truer",  "-"}) {
    EXPECT_FALSE(stream_numbers(write("bad", text), add)) << text;
  }
  EXPECT_FALSE(stream_numbers(write("bad", std::string("1\0", 2)), add));
  EXPECT_FALSE(stream_numbers(write("bad", std::string(5'000, '1')), add));
  const Status read = stream_numbers(write("bad", std::string(70'000, ' ') + "[1, x]"), add);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "is no JSON: it has no value at byte 70005");
}

TEST_F(FilesOfRules, AKeyIsTheSameHoweverItIsWritten) {
  std::vector<std::string> found;
  ASSERT_TRUE(
      stream_numbers(write("a", R"({"\u0061u": {"block1": 1}})"), [&](const auto& keys, double) { found = keys; }));
  EXPECT_EQ(found, (std::vector<std::string>{"au", "block1"}));
}

// With one file the digest is that of its name followed by its content.
TEST_F(FilesOfRules, TheDigestOfATreeIsOfPathsAndContents) {
  write("image/main.py", "x\n");
  const auto alone = tree_digest((folder_ / "image").string());
  ASSERT_TRUE(alone);
  EXPECT_EQ(*alone, "f22c7035edcf766276b812caca295261");
  write("image/.code-hash.json", "{}");
  write("image/a/__pycache__/x", "y");
  write("image/tests/x", "y");
  write("image/x.pyc", "y");
  std::filesystem::create_symlink("main.py", folder_ / "image/link");
  EXPECT_EQ(tree_digest((folder_ / "image").string()).value_or(""), *alone);
  write("image/.hidden", "");
  EXPECT_NE(*tree_digest((folder_ / "image").string()), *alone);
}

TEST_F(FilesOfRules, LinksOutOfTheTreeAreNotFollowedAndThoseInsideAre) {
  write("tree/closed/acme/results/x", "");
  write("outside/results/y", "");
  std::filesystem::create_directory_symlink(folder_ / "outside", folder_ / "tree/closed/evil");
  std::filesystem::create_directory_symlink("acme", folder_ / "tree/closed/same");
  std::filesystem::create_directory_symlink("loop", folder_ / "tree/closed/loop");
  const auto tree = Tree::open((folder_ / "tree").string());
  ASSERT_TRUE(tree);
  Problems problems;
  EXPECT_EQ(tree->submissions(problems), (std::vector<std::string>{"closed/acme", "closed/same"}));
  ASSERT_EQ(problems.size(), 2U);
}

TEST(Moments, OfBothFormsWithAndWithoutZone) {
  bool aware = true;
  EXPECT_EQ(parse_moment("19700101_000110", &aware), 70.0);
  EXPECT_FALSE(aware);
  EXPECT_EQ(parse_moment("1970-01-01T00:01:10.5"), 70.5);
  EXPECT_EQ(parse_moment("1970-01-01 00:01:10"), 70.0);
  EXPECT_EQ(parse_moment("1970-01-01T02:01:10+02:00", &aware), 70.0);
  EXPECT_TRUE(aware);
  EXPECT_EQ(parse_moment("1970-01-01T00:01:10Z", &aware), 70.0);
  EXPECT_TRUE(aware);
  for (const char* text :
       {"", "yesterday", "1970-13-01T00:00:00", "1970-01-01", "1970-01-01T00:00:1e9", "1970-01-01T00:00:00 CET"}) {
    EXPECT_FALSE(parse_moment(text)) << text;
  }
}

}  // namespace
}  // namespace mlps::rules
