#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include "base/crc.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps {
namespace {

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Encoding, PathKeepsSlashesAndUnreserved) {
  std::string out;
  append_encoded_path(out, "dir/a b+c%41~_-.\xC3\xA9");
  EXPECT_EQ(out, "dir/a%20b%2Bc%2541~_-.%C3%A9");
}

TEST(Encoding, QueryEncodesSlashes) {
  std::string out;
  append_encoded_query(out, "up/1+x=&");
  EXPECT_EQ(out, "up%2F1%2Bx%3D%26");
}

TEST(Encoding, DecodingUndoesAndRefuses) {
  EXPECT_EQ(percent_decoded("a%2Fb+c%2b"), "a/b c+");
  EXPECT_EQ(percent_decoded("%"), std::nullopt);
  EXPECT_EQ(percent_decoded("a%2"), std::nullopt);
  EXPECT_EQ(percent_decoded("a%zz"), std::nullopt);
}

TEST(Encoding, Base64AndHex) {
  EXPECT_EQ(base64(raw("")), "");
  EXPECT_EQ(base64(raw("f")), "Zg==");
  EXPECT_EQ(base64(raw("fo")), "Zm8=");
  EXPECT_EQ(base64(raw("foo")), "Zm9v");
  EXPECT_EQ(hex(raw("\x01\xAB")), "01ab");
  EXPECT_EQ(from_hex("01aB"), "\x01\xAB");
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Encoding, Base64IsReadStrictly) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "\xff\xfe\x00z"}) {
    EXPECT_EQ(base64_decoded(base64(raw(text))), text);
  }
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v!AAA", "Zm=v", "Zm9v\n"}) {
    EXPECT_EQ(base64_decoded(text), std::nullopt) << text;
  }
}

TEST(Encoding, HttpDates) {
  EXPECT_EQ(parse_http_date("Fri, 24 May 2013 00:00:00 GMT"), 1369353600);
  EXPECT_EQ(parse_http_date("yesterday"), std::nullopt);
  EXPECT_EQ(parse_http_date("Fri, 24 May 2013 00:00:00 CEST"), std::nullopt);
}

TEST(Encoding, PrintableIsOneLineAndBounded) {
  EXPECT_EQ(printable("a\r\nb\x1b[31m"), "a  b [31m");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(raw("123456789")), 0xe3069283);
  EXPECT_EQ(crc32c({}), 0U);
  const std::string zeros(32, '\0');  // RFC 3720, B.4
  EXPECT_EQ(crc32c(raw(zeros)), 0x8a9136aa);
  EXPECT_EQ(object::crc32c_text(0xe3069283), "4waSgw==");
}

TEST(Crc32c, JoinedEqualsWhole) {
  const std::string text = "The quick brown fox jumps over the lazy dog, again and again.";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view whole = text;
    EXPECT_EQ(crc32c_joined(crc32c(raw(whole.substr(0, cut))), crc32c(raw(whole.substr(cut))), text.size() - cut),
              crc32c(raw(whole)));
  }
}

TEST(Crc32c, CompositeIsTheCrcOfCrcs) {
  const uint32_t parts[] = {0x01020304, 0xa0b0c0d0};
  const std::string bytes = "\x01\x02\x03\x04\xa0\xb0\xc0\xd0";
  EXPECT_EQ(object::crc32c_composite(parts), object::crc32c_text(crc32c(raw(bytes))) + "-2");
}

}  // namespace
}  // namespace mlps
