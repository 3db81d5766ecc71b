#include "storage/gcs/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "test_key.hpp"

namespace mlps::gcs {
namespace {

using Set = std::map<std::string, std::string>;

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json key_file() {
  return {{"type", "service_account"},
          {"client_email", "bench@project.iam.gserviceaccount.com"},
          {"private_key_id", "k1"},
          {"private_key", test::private_key()},
          {"token_uri", "https://oauth2.example/token"}};
}

std::string decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size(), '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(length) - padding);
  return out;
}

bool signature_fits(const std::string& text, const std::string& signature) {
  BIO* memory = BIO_new_mem_buf(test::private_key().data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory, nullptr, nullptr, nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  const bool fits =
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  BIO_free(memory);
  return fits;
}

TEST(Identity, AServiceAccountSignsWhatTheTokenServiceWants) {
  const auto found = parse_credentials(key_file().dump(), "/key.json");
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->source, "service account bench@project.iam.gserviceaccount.com of /key.json");
  const auto request = token_request(found->identity, 1'800'000'000, {.ca_file = "/ca.pem"});
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "https://oauth2.example/token");
  EXPECT_EQ(request->way.ca_file, "/ca.pem");
  const std::string front = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(request->body.starts_with(front)) << request->body;
  const std::string token = request->body.substr(front.size());
  const auto first = token.find('.'), second = token.rfind('.');
  const json header = json::parse(decoded(token.substr(0, first)));
  EXPECT_EQ(header, json({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}));
  const json claims = json::parse(decoded(token.substr(first + 1, second - first - 1)));
  EXPECT_EQ(claims, json({{"iss", "bench@project.iam.gserviceaccount.com"},
                          {"scope", "https://www.googleapis.com/auth/devstorage.read_write"},
                          {"aud", "https://oauth2.example/token"},
                          {"iat", 1'800'000'000},
                          {"exp", 1'800'003'600}}));
  EXPECT_TRUE(signature_fits(token.substr(0, second), decoded(token.substr(second + 1))));
  EXPECT_FALSE(signature_fits(token.substr(0, second) + "x", decoded(token.substr(second + 1))));
}

TEST(Identity, AnAuthorisedUserRefreshes) {
  const json file = {{"type", "authorized_user"},
                     {"client_id", "id"},
                     {"client_secret", "s&cret"},
                     {"refresh_token", "1//x"},
                     {"quota_project_id", "payer"}};
  const auto found = parse_credentials(file.dump(), "/adc.json");
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->quota_project, "payer");
  const auto request = token_request(found->identity, 0, {});
  EXPECT_EQ(request->url, "https://oauth2.googleapis.com/token");
  EXPECT_EQ(request->body, "grant_type=refresh_token&client_id=id&client_secret=s%26cret&refresh_token=1%2F%2Fx");
}

TEST(Identity, AMachineAsksItsMetadataServer) {
  const auto found = find_identity(Environment(Set{{"HOME", "/nowhere"}, {"GCE_METADATA_HOST", "127.0.0.1:8080"}}));
  ASSERT_TRUE(found.has_value());
  const auto request = token_request(found->identity, 0, {});
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->url, "http://127.0.0.1:8080/computeMetadata/v1/instance/service-accounts/default/token");
  EXPECT_THAT(request->headers,
              ::testing::ElementsAre(std::pair<std::string, std::string>("Metadata-Flavor", "Google")));
  EXPECT_EQ(find_identity(Environment(Set{{"HOME", "/nowhere"}}))->source, "metadata server metadata.google.internal");
  EXPECT_EQ(find_identity(Environment(Set{{"HOME", "/nowhere"}, {"GCE_METADATA_HOST", "a/b"}})).error().code,
            ErrorCode::kConfigInvalid);
}

TEST(Identity, ABrokenFileIsNamedAndNotRepeated) {
  std::vector<std::string> broken = {"", "[]", "{", "7"};
  for (const char* member : {"client_email", "private_key"}) {
    json file = key_file();
    file.erase(member);
    broken.push_back(file.dump());
    file[member] = 7;
    broken.push_back(file.dump());
  }
  json bad_key = key_file();
  bad_key["private_key"] = "-----BEGIN PRIVATE KEY-----\nvery-secret\n-----END PRIVATE KEY-----\n";
  broken.push_back(bad_key.dump());
  json bad_url = key_file();
  bad_url["token_uri"] = "ftp://very-secret";
  broken.push_back(bad_url.dump());
  for (const std::string& text : broken) {
    const auto found = parse_credentials(text, "/key.json");
    ASSERT_FALSE(found.has_value()) << text;
    EXPECT_TRUE(found.error().code == ErrorCode::kConfigParse || found.error().code == ErrorCode::kConfigIncompatible);
    EXPECT_THAT(found.error().message, HasSubstr("/key.json"));
    EXPECT_THAT(render(found.error()), Not(HasSubstr("very-secret")));
  }
}

TEST(Identity, OtherKindsOfCredentialsAreNamed) {
  const auto found = parse_credentials(R"({"type":"external_account"})", "/wif.json");
  EXPECT_EQ(found.error().code, ErrorCode::kConfigIncompatible);
  EXPECT_THAT(found.error().message, HasSubstr("external_account"));
}

TEST(Identity, AFileThatIsNamedMustBeThere) {
  const auto found = find_identity(Environment(Set{{"GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json"}}));
  EXPECT_EQ(found.error().code, ErrorCode::kConfigFileNotFound);
  EXPECT_THAT(found.error().message, HasSubstr("GOOGLE_APPLICATION_CREDENTIALS"));
}

}  // namespace
}  // namespace mlps::gcs
