#include "storage/gcs/batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlps::gcs {
namespace {

constexpr char kTwo[] =
    "preamble\r\n--b\r\nContent-Type: application/http\r\nContent-ID: <response-1>\r\n\r\nHTTP/1.1 204 No Content\r\n"
    "Content-Length: 0\r\n\r\n\r\n--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 404 Not Found\r\n"
    "Content-Type: application/json\r\n\r\n{\"error\":{}}\r\n--b--\r\nepilogue";

TEST(Batch, EveryDeletionIsARequestOfItsOwn) {
  const std::vector<std::string> paths = {"/storage/v1/b/x/o/a%2Fb", "/storage/v1/b/x/o/c"};
  EXPECT_EQ(deletion_batch(paths),
            "--mlpstorage-batch\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\n"
            "DELETE /storage/v1/b/x/o/a%2Fb HTTP/1.1\r\n\r\n\r\n"
            "--mlpstorage-batch\r\nContent-Type: application/http\r\nContent-ID: <2>\r\n\r\n"
            "DELETE /storage/v1/b/x/o/c HTTP/1.1\r\n\r\n\r\n--mlpstorage-batch--\r\n");
}

TEST(Batch, AnswersInOrder) {
  for (const char* type : {"multipart/mixed; boundary=b", "Multipart/Mixed;charset=x; Boundary=\"b\""}) {
    const auto answers = parse_batch_answer(type, kTwo, 2);
    ASSERT_TRUE(answers.has_value()) << answers.error().message;
    EXPECT_EQ((*answers)[0].status, 204);
    EXPECT_EQ((*answers)[0].body, "");
    EXPECT_EQ((*answers)[1].status, 404);
    EXPECT_EQ((*answers)[1].body, "{\"error\":{}}");
  }
}

TEST(Batch, LineFeedsAloneAreLines) {
  const auto answers = parse_batch_answer("multipart/mixed; boundary=b", "--b\nA: b\n\nHTTP/1.1 200 OK\n\nx\n--b--", 1);
  ASSERT_TRUE(answers.has_value());
  EXPECT_EQ((*answers)[0].status, 200);
  EXPECT_EQ((*answers)[0].body, "x");
}

TEST(Batch, AnythingElseIsRefused) {
  const std::string type = "multipart/mixed; boundary=b";
  EXPECT_FALSE(parse_batch_answer(type, kTwo, 1).has_value());
  EXPECT_FALSE(parse_batch_answer(type, kTwo, 3).has_value());
  EXPECT_FALSE(parse_batch_answer("application/json", kTwo, 2).has_value());
  EXPECT_FALSE(parse_batch_answer("multipart/mixed", kTwo, 2).has_value());
  for (const char* body : {"", "--b", "--b\r\n", "--b\r\n\r\nHTTP/2 200\r\n--b--",
                           "--b\r\n\r\nHTTP/1.1 999 No\r\n--b--", "--b\r\n\r\nHTTP/1.1 20", "--b--\r\n"}) {
    EXPECT_FALSE(parse_batch_answer(type, body, 1).has_value()) << body;
  }
}

}  // namespace
}  // namespace mlps::gcs
