// What Google's JSON API, its token services and its files of credentials say; each parser takes every text. The first
// line stands for the Content-Type that a batch's answer needs.
#include "fuzz.hpp"
#include "storage/gcs/answers.hpp"
#include "storage/gcs/batch.hpp"
#include "storage/gcs/identity.hpp"
#include "storage/gcs/pieces.hpp"
#include "storage/object/crc32c.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mlps;
  const std::string_view text = fuzz::text_of(data, size);
  const auto error = gcs::parse_error_body(text);
  fuzz::require(error.reason.find('\n') == std::string::npos && error.message.find('\n') == std::string::npos,
                "words of a server fit on one line");
  (void)gcs::parse_object(text);
  (void)gcs::parse_list(text);
  if (const auto token = gcs::parse_token(text)) {
    fuzz::require(token->value.find_first_of("\r\n ") == std::string::npos, "a token fits into a header");
  }
  (void)object::crc32c_of(text);
  (void)object::announced_crc32c(text);
  (void)gcs::parse_credentials(text, "file");
  const size_t line = text.find('\n');
  const std::string_view rest = line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);
  if (const auto answers = gcs::parse_batch_answer(text.substr(0, line), rest, 2)) {
    fuzz::require(answers->size() == 2, "as many answers as requests");
  }
  if (const auto piece = gcs::parse_piece_name(text)) {
    fuzz::require(text.starts_with(gcs::upload_prefix(piece->name, piece->upload)),
                  "a name of a piece is read as made");
  }
  return 0;
}
