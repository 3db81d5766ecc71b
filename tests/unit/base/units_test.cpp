#include "base/units.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace mlps {
namespace {

TEST(Units, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(5'682'508'791'808), "5,682,508,791,808");
}

TEST(Units, PrintsBinaryUnits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1,023 B");
  EXPECT_EQ(human_bytes(1024), "1 KiB");
  EXPECT_EQ(human_bytes(112'425'623'552), "104.7 GiB");
}

TEST(Units, ReadsSizesAsTyped) {
  EXPECT_EQ(parse_size("16777216").value(), 16'777'216U);
  EXPECT_EQ(parse_size("16M").value(), 16 * kMiB);
  EXPECT_EQ(parse_size("16MiB").value(), 16 * kMiB);
  EXPECT_EQ(parse_size("1.5gib").value(), kGiB + kGiB / 2);
  EXPECT_EQ(parse_size("1GB").value(), 1'000'000'000U);
}

TEST(Units, RefusesWhatIsNoSize) {
  for (const char* text : {"", "M", "-1", "16 MiB", "16Mb2", "nan", "inf", "1e30", "0x10", "16MiB "}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, ErrorCode::kConfigInvalid);
    EXPECT_NE(size.error().message.find(text), std::string::npos);
  }
}

TEST(Units, PrintsDurations) {
  EXPECT_EQ(human_seconds(0.0041), "4.1 ms");
  EXPECT_EQ(human_seconds(0.0000123), "12.3 us");
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(12.34), "12.3 s");
  EXPECT_EQ(human_seconds(200), "3 m 20 s");
  EXPECT_EQ(human_seconds(3720), "1 h 02 m");
}

TEST(EditDistance, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("--model", "--modle"), 2U);
}

}  // namespace
}  // namespace mlps
