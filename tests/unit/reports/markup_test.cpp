#include "reports/page/markup.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mlps::reports::page {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Escaped, LeavesNothingThatABrowserOrATerminalObeys) {
  EXPECT_EQ(escaped("<script>alert('1')</script>&\""), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;");
  EXPECT_EQ(escaped("a\nb\tc"), "a b c");
  EXPECT_EQ(escaped("\x1b[2J"), "\xEF\xBF\xBD[2J");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escaped("\xE2\x80\xAE"
                    "gpj.exe"),
            "\xEF\xBF\xBD"
            "gpj.exe")
      << "the direction of writing";
  EXPECT_EQ(escaped("Z\xC3\xBCrich \xF0\x9F\x92\xBE"), "Z\xC3\xBCrich \xF0\x9F\x92\xBE");
}

TEST(Escaped, TakesNoBytesThatAreNoText) {
  EXPECT_EQ(escaped("\xC3"), "\xEF\xBF\xBD") << "cut";
  EXPECT_EQ(escaped("\xC0\xBC"
                    "b"),
            "\xEF\xBF\xBD\xEF\xBF\xBD"
            "b")
      << "a longer spelling of '<'";
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD") << "half of a pair";
  EXPECT_EQ(escaped("\xEF\xBF\xBF"), "\xEF\xBF\xBD") << "no character of XML";
}

TEST(Harmless, LeavesTextAsItIsButForWhatATerminalObeys) {
  EXPECT_EQ(harmless("a < b & \"c\"\nd"), "a < b & \"c\" d");
  EXPECT_EQ(harmless("\x1b[2J"), "\xEF\xBF\xBD[2J");
  EXPECT_EQ(harmless("abcdef", 3), "abc...");
}

TEST(Escaped, CutsWhatIsLongBetweenCharacters) {
  EXPECT_EQ(escaped("abcdef", 3), "abc...");
  EXPECT_EQ(escaped("\xC3\xBC\xC3\xBC", 1), "\xC3\xBC...");
  EXPECT_LT(escaped(std::string(1'000'000, '<')).size(), 4000U);
}

TEST(Numbers, HaveThreeOrFourDigitsAndAUnit) {
  EXPECT_EQ(figure(1234567), "1,234,567");
  EXPECT_EQ(figure(0.82341), "0.8234");
  EXPECT_EQ(figure(-2500), "-2,500");
  EXPECT_EQ(percent(87.414), "87.41 %");
  EXPECT_EQ(rate_text(47.2 * 1024 * 1024 * 1024), "47.2 GiB/s");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(time_text(212'000'000), "212 ms");
  EXPECT_EQ(time_text(1'940'000'000), "1.94 s");
  EXPECT_EQ(time_text(600e9), "10 m 00 s");
  EXPECT_EQ(time_text(59.96e9), "1 m 00 s") << "never 60 s";
  EXPECT_EQ(time_text(7200e9), "2 h 00 m");
  EXPECT_EQ(time_text(0), "0 s");
  EXPECT_EQ(time_text(-2e9), "-2 s");
  EXPECT_EQ(tenths(87.44), "87.4 %");
  EXPECT_EQ(tenths(100), "100.0 %");
  EXPECT_EQ(tenths(0), "0.0 %");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(28000, "file"), "28,000 files");
  EXPECT_EQ(counted(0, "retry", "retries"), "0 retries");
  EXPECT_EQ(percent(90), "90 %");
  EXPECT_EQ(percent_to(89.9981, 90), "89.9981 %") << "not 90 % where 90 % are asked for";
  EXPECT_EQ(percent_to(87.4, 90), "87.4 %");
  EXPECT_EQ(percent(0.004), "<0.01 %");
  EXPECT_EQ(bytes_text(16.0 * 1024 * 1024), "16 MiB");
  EXPECT_EQ(bytes_text(1023.7 * 1024), "1024 KiB");
}

TEST(Numbers, ThatAreNoneAreADash) {
  for (const double none : {kInfinity, -kInfinity, std::nan("")}) {
    EXPECT_EQ(figure(none), "-");
    EXPECT_EQ(percent(none), "-");
    EXPECT_EQ(rate_text(none), "-");
    EXPECT_EQ(time_text(none), "-");
  }
  EXPECT_EQ(figure(1e308), "1e+308");
}

TEST(Axis, MapsItsEndsAndWhatLiesOutside) {
  const Axis axis(0, 50, 200, 0);
  EXPECT_EQ(axis.at(0), 200);
  EXPECT_EQ(axis.at(25), 100);
  EXPECT_EQ(axis.at(1e300), 0);
  EXPECT_EQ(axis.at(-1), 200);
  EXPECT_EQ(axis.ticks(5), (std::vector<double>{0, 10, 20, 30, 40, 50}));
  const Axis decades(1e3, 1e6, 0, 300, true);
  EXPECT_NEAR(decades.at(1e4), 100, 1e-9);
  EXPECT_EQ(decades.ticks(5).size(), 4U);
}

TEST(Axis, HasEndsThatDifferWhateverIsAskedFor) {
  for (const double low : {0.0, -1e308, 1e308, kInfinity, std::nan("")}) {
    for (const double high : {0.0, -1e308, 1e308, kInfinity, std::nan("")}) {
      for (const bool logarithmic : {false, true}) {
        const Axis axis(low, high, 0, 100, logarithmic);
        EXPECT_LT(axis.low(), axis.high());
        EXPECT_TRUE(std::isfinite(axis.at(1))) << low << " " << high;
        EXPECT_LE(axis.ticks(5).size(), 700U);
      }
    }
  }
}

TEST(Drawing, HasOnlyCoordinatesThatABrowserTakes) {
  EXPECT_EQ(Drawing::coordinate(12.34), "12.3");
  EXPECT_EQ(Drawing::coordinate(-0.01), "0");
  EXPECT_EQ(Drawing::coordinate(std::nan("")), "0");
  EXPECT_EQ(Drawing::coordinate(1e300), "5000");
}

}  // namespace
}  // namespace mlps::reports::page
