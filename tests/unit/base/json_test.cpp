#include "base/json.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace mlps {
namespace {

TEST(Json, ARealNumberStaysOneAndReadsBackAsTheSame) {
  const std::pair<double, const char*> texts[] = {{0.0, "0.0"},
                                                  {-0.0, "-0.0"},
                                                  {1, "1.0"},
                                                  {-12.5, "-12.5"},
                                                  {0.1 + 0.2, "0.30000000000000004"},
                                                  {1e-4, "0.0001"},
                                                  {9.5e-5, "9.5e-05"},
                                                  {999999999999999.0, "999999999999999.0"},
                                                  {123456789012345.62, "123456789012345.62"},
                                                  {1e15, "1e+15"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"}};
  for (const auto& [value, text] : texts) EXPECT_EQ(Json(value).dump(), text);
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).dump(), "null");
}

TEST(Json, ATextIsQuotedAndItsDamagedBytesAreReplaced) {
  EXPECT_EQ(Json("plain text").dump(), "\"plain text\"");
  EXPECT_EQ(Json("a\"b\\c\n\t\x01").dump(), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(Json("Gr\xC3\xBC\xC3\x9F").dump(), "\"Gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(Json("a\xFF"
                 "b")
                .dump(),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(Json("cut \xE2\x82").dump(), "\"cut \xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace mlps
