#include "storage/gcs/json_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <random>

#include "base/crc.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "storage/gcs/answers.hpp"
#include "storage/gcs/batch.hpp"
#include "storage/gcs/json_judge.hpp"
#include "storage/gcs/json_writer.hpp"
#include "storage/gcs/pieces.hpp"
#include "storage/object/crc32c.hpp"

namespace mlps::gcs {
namespace {

using http::Method;
using object::Call;
using object::CallKind;
using object::ListedUpload;
using object::RemoteObject;
using object::UploadsPage;
using object::Verdict;

// Google's limits are 5 TiB an object, and 32 components a request. More parts than this would only be more requests.
constexpr object::PartLimits kLimits = {.min_part_bytes = 1, .max_part_bytes = uint64_t{5} << 40, .max_parts = 10'000};

constexpr std::string_view kPageToken = "page";  // UploadsPage::next_id where next_key is the server's

// What is asked of an object's description.
constexpr std::string_view kFields = "fields=name,size,crc32c,generation";

constexpr std::array<std::string_view, object::kCallKinds> kCallNames = {
    "objects.insert", "upload",       "objects.insert", "objects.compose", "objects.delete", "objects.get media",
    "objects.get",    "objects.list", "objects.list",   "objects.list",    "objects.delete"};

/// Where the step of a call stands between two of its requests, kept in Call::memo.
struct Progress {
  char did = ' ';  ///< 'p' put a part, 'c' composed a piece, 's' swept the components of one, 'o' deleted the object
  Piece piece;
};

std::string memo_of(const Progress& progress) {
  return fmt::format("{}{}-{}", progress.did, progress.piece.level, progress.piece.index);
}

Progress progress_of(const Call& call) {
  Progress progress;
  if (call.memo.empty()) return progress;
  progress.did = call.memo.front();
  const auto dash = call.memo.find('-');
  progress.piece.level = static_cast<unsigned>(std::stoul(call.memo.substr(1, dash - 1)));
  progress.piece.index = static_cast<uint32_t>(std::stoul(call.memo.substr(dash + 1)));
  return progress;
}

Pieces& pieces_of(const RemoteObject& object) {
  return static_cast<Pieces&>(*object.upload_state);
}

std::string new_upload() {
  std::random_device source;
  return fmt::format("{:08x}{:08x}", source(), source());
}

class JsonDialect final : public object::Dialect {
 public:
  JsonDialect(const Location& root, const Settings& settings) : root_(root), settings_(settings) {
    append_encoded_query(bucket_path_.assign("/storage/v1/b/"), root.bucket());
    upload_path_ = "/upload" + bucket_path_ + "/o";
    bucket_path_ += "/o";
  }

  object::PartLimits limits() const override { return kLimits; }
  object::ChecksumFunction checksum() const override { return &object::crc32c_sum; }
  std::string_view call_name(CallKind kind) const override { return kCallNames.at(static_cast<size_t>(kind)); }
  std::string object_path(std::string_view key) const override {
    std::string path = bucket_path_ + "/";
    append_encoded_query(path, key);
    return path;
  }
  std::unique_ptr<object::RequestWriter> open_writer() const override { return make_json_writer(settings_); }

  bool ask_begin(Call& call, RemoteObject& object, unsigned round) const override;
  Status take_begin(const Call& /*call*/, RemoteObject& /*object*/) const override { return {}; }
  bool ask_part(Call& call, RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                unsigned round) const override;
  Status take_part(const Call& /*call*/, RemoteObject& /*object*/, uint32_t /*part*/) const override { return {}; }
  bool ask_commit(Call& call, RemoteObject& object, unsigned round) const override;
  bool ask_abort(Call& call, RemoteObject& object, unsigned round) const override;

  void ask_head(Call& call, const RemoteObject& object) const override;
  Result<object::ObjectFacts> read_head(const http::Exchange& answer) const override;
  void ask_read(Call& call, const RemoteObject& object, uint64_t offset, std::span<std::byte> buffer) const override;
  std::string_view version_of(const http::Exchange& answer) const override {
    return answer.header("x-goog-generation").value_or("");
  }
  void ask_delete(Call& call, const RemoteObject& object) const override;
  void ask_bucket(Call& call, std::string_view subject) const override;
  void ask_list(Call& call, std::string_view subject, std::string_view key_prefix,
                const std::string& continuation) const override;
  Result<object::ObjectsPage> read_list(const Call& call) const override;
  bool ask_list_uploads(Call& call, std::string_view subject, std::string_view key_prefix,
                        const UploadsPage& after) const override;
  Result<UploadsPage> read_list_uploads(const Call& call) const override;
  bool ask_abort_found(Call& call, const RemoteObject& object, const std::string& id, unsigned round) const override;

  std::optional<Error> check_stored(const RemoteObject& object, const http::Exchange& head) const override;
  /// A repeated compose is the same compose, so no outcome is ever unknown.
  bool is_this_write(const RemoteObject& /*object*/, const http::Exchange& /*head*/) const override { return false; }
  bool commit_undecided(const Call& /*call*/) const override { return false; }
  bool outlives_connection(const Call& call) const override {
    return call.kind == CallKind::kPutObject || call.kind == CallKind::kPutPart || call.kind == CallKind::kCommitUpload;
  }

  object::ServerError read_error(const http::Exchange& answer) const override { return json_error(answer); }
  std::span<const object::ErrorRule> error_rules() const override { return json_error_rules(); }
  bool accepts(const Call& call, std::string_view server_code) const override;
  Verdict judge_success(const Call& call) const override;
  void refine(const Call& call, Verdict& verdict) const override { refine_json_verdict(settings_, call, verdict); }
  std::string advice(const Call& call, const Verdict& verdict) const override {
    return json_advice(settings_, root_.bucket(), call, verdict);
  }
  void redact(std::string& text) const override { redact_token(settings_, text); }

 private:
  std::string piece_key(const RemoteObject& object, Piece piece) const {
    return root_.key_of(piece_name(object.name(), object.upload_id, piece));
  }
  void ask_upload(Call& call, CallKind kind, const RemoteObject& object, std::string_view key) const;
  void ask_compose(Call& call, RemoteObject& object, Piece piece, std::string_view path) const;
  void ask_sweep(Call& call, const RemoteObject& object, std::span<const std::string> keys) const;
  void sweep_pieces(Call& call, const RemoteObject& object, std::span<const Piece> pieces) const;
  static std::string pieces_of_upload(std::string_view key, std::string_view id);
  void ask_list_page(Call& call, CallKind kind, std::string_view subject, std::string_view key_prefix,
                     size_t most) const;

  const Location root_;
  const Settings settings_;
  std::string bucket_path_;
  std::string upload_path_;
};

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query.append(name).append("=");
  append_encoded_query(query, value);
}

// ---- writing

bool JsonDialect::ask_begin(Call& /*call*/, RemoteObject& object, unsigned /*round*/) const {
  object.upload_id = new_upload();
  object.upload_state = std::make_unique<Pieces>(object.part_count());
  return false;
}

void JsonDialect::ask_upload(Call& call, CallKind kind, const RemoteObject& object, std::string_view key) const {
  call.reset(kind, Method::kPost, upload_path_, object.uri());
  call.query = "uploadType=media&";
  call.query += kFields;
  add_parameter(call.query, "name", key);
  call.headers.add("Content-Type", "application/octet-stream");
}

bool JsonDialect::ask_part(Call& call, RemoteObject& object, uint32_t part, std::span<const std::byte> body,
                           unsigned round) const {
  if (round == 0) {
    const Piece piece{0, part};
    if (object.single()) {
      ask_upload(call, CallKind::kPutObject, object, root_.key_of(object.name()));
    } else {
      pieces_of(object).begun(piece);
      ask_upload(call, CallKind::kPutPart, object, piece_key(object, piece));
      call.scope = fmt::format("part {}", part + 1);
    }
    call.memo = memo_of({'p', piece});
    call.body = body;
    call.object_bytes = body.size();
    call.checksum = object::crc32c_text(static_cast<uint32_t>(object.checksum_of_part(part, body)));
    call.headers.add("x-goog-hash", "crc32c=" + call.checksum);
    return true;
  }
  if (object.single()) return false;
  Pieces& pieces = pieces_of(object);
  const Progress progress = progress_of(call);
  if (progress.did == 'c') {
    sweep_pieces(call, object, pieces.components(progress.piece));
    call.memo = memo_of({'s', progress.piece});
    return true;
  }
  std::optional<Piece> next;
  if (progress.did == 'p') {
    next = pieces.stored(progress.piece, body.size(), static_cast<uint32_t>(object.parts[part].checksum));
  } else {
    for (const Piece component : pieces.components(progress.piece)) pieces.gone(component);
    next = pieces.stored(progress.piece, pieces.bytes_of(progress.piece), pieces.crc_of(progress.piece));
  }
  if (!next) return false;
  pieces.begun(*next);
  ask_compose(call, object, *next, object_path(piece_key(object, *next)));
  return true;
}

void JsonDialect::ask_compose(Call& call, RemoteObject& object, Piece piece, std::string_view path) const {
  const Pieces& pieces = pieces_of(object);
  Json sources = Json::array();
  for (const Piece component : pieces.components(piece)) {
    sources.push_back(Json::object())["name"] = piece_key(object, component);
  }
  Json request = Json::object();
  request["sourceObjects"] = std::move(sources);
  request["destination"]["contentType"] = "application/octet-stream";
  call.reset(CallKind::kCommitUpload, Method::kPost, std::string(path) + "/compose", object.uri());
  call.query = kFields;
  call.headers.add("Content-Type", "application/json");
  call.text = request.dump();
  call.body = std::as_bytes(std::span(call.text));
  call.object_bytes = pieces.bytes_of(piece);
  call.checksum = object::crc32c_text(pieces.crc_of(piece));
  call.memo = memo_of({'c', piece});
}

void JsonDialect::ask_sweep(Call& call, const RemoteObject& object, std::span<const std::string> keys) const {
  std::vector<std::string> paths;
  for (const std::string& key : keys) paths.push_back(object_path(key));
  call.reset(CallKind::kAbortUpload, Method::kPost, "/batch/storage/v1", object.uri());
  call.scope = fmt::format("{} temporary objects", keys.size());
  call.headers.add("Content-Type", kBatchContentType);
  call.text = deletion_batch(paths);
  call.body = std::as_bytes(std::span(call.text));
  call.object_bytes = keys.size();
}

void JsonDialect::sweep_pieces(Call& call, const RemoteObject& object, std::span<const Piece> pieces) const {
  std::vector<std::string> keys;
  for (const Piece piece : pieces) keys.push_back(piece_key(object, piece));
  ask_sweep(call, object, keys);
}

bool JsonDialect::ask_commit(Call& call, RemoteObject& object, unsigned round) const {
  Pieces& pieces = pieces_of(object);
  const Piece whole{pieces.top(), 0};
  if (round == 0) {
    ask_compose(call, object, whole, object.path());
    return true;
  }
  if (round == 1) {
    sweep_pieces(call, object, pieces.components(whole));
    return true;
  }
  for (const Piece component : pieces.components(whole)) pieces.gone(component);
  return false;
}

bool JsonDialect::ask_abort(Call& call, RemoteObject& object, unsigned round) const {
  if (object.upload_state) {
    Pieces& pieces = pieces_of(object);
    if (round > 0 && progress_of(call).did == 's') {
      for (const Piece piece : pieces.left(kMaxBatch)) pieces.gone(piece);
    }
    if (const auto left = pieces.left(kMaxBatch); !left.empty()) {
      sweep_pieces(call, object, left);
      call.memo = memo_of({'s', left.front()});
      return true;
    }
  }
  const bool stored = object.completed || object.complete_sent || object.maybe_stored.load();
  if (!stored || progress_of(call).did == 'o') return false;
  ask_delete(call, object);
  call.memo = memo_of({'o', {}});
  return true;
}

// ---- reading and looking

void JsonDialect::ask_head(Call& call, const RemoteObject& object) const {
  call.reset(CallKind::kHeadObject, Method::kGet, object.path(), object.uri());
  call.query = kFields;
}

Result<object::ObjectFacts> JsonDialect::read_head(const http::Exchange& answer) const {
  return parse_object(answer.text).map([](StoredObject object) {
    return object::ObjectFacts{object.size_bytes, std::move(object.generation)};
  });
}

void JsonDialect::ask_read(Call& call, const RemoteObject& object, uint64_t offset, std::span<std::byte> buffer) const {
  call.reset(CallKind::kGetObject, Method::kGet, object.path(), object.uri());
  call.query = "alt=media";
  call.if_match = object.pinned_etag();
  if (!call.if_match.empty()) add_parameter(call.query, "ifGenerationMatch", call.if_match);
  call.sink = buffer;
  call.first_byte = offset;
  call.object_bytes = object.size_bytes();
  if (buffer.empty()) return;  // the whole of an empty object: no range can name it
  const uint64_t last = offset + buffer.size() - 1;
  call.range = fmt::format("bytes={}-{}", offset, last);
  call.scope = fmt::format("bytes {}-{}", offset, last);
}

void JsonDialect::ask_delete(Call& call, const RemoteObject& object) const {
  call.reset(CallKind::kDeleteObject, Method::kDelete, object.path(), object.uri());
}

// A list of one object, since the right to look at the bucket itself is not among those of an object administrator.
void JsonDialect::ask_bucket(Call& call, std::string_view subject) const {
  call.reset(CallKind::kHeadBucket, Method::kGet, bucket_path_, subject);
  call.query = "fields=kind&maxResults=1";
}

void JsonDialect::ask_list_page(Call& call, CallKind kind, std::string_view subject, std::string_view key_prefix,
                                size_t most) const {
  call.reset(kind, Method::kGet, bucket_path_, subject);
  call.query = fmt::format("fields=kind,nextPageToken,items(name,size)&maxResults={}", most);
  add_parameter(call.query, "prefix", key_prefix);
}

void JsonDialect::ask_list(Call& call, std::string_view subject, std::string_view key_prefix,
                           const std::string& continuation) const {
  ask_list_page(call, CallKind::kListObjects, subject, key_prefix, 1000);
  if (!continuation.empty()) add_parameter(call.query, "pageToken", continuation);
}

Result<object::ObjectsPage> JsonDialect::read_list(const Call& call) const {
  auto answer = parse_list(call.exchange.text);
  if (!answer) return fail(std::move(answer.error()));
  object::ObjectsPage page;
  page.next = std::move(answer->next_token);
  for (StoredObject& object : answer->objects) {
    if (!is_piece_key(object.name)) page.objects.push_back({std::move(object.name), object.size_bytes});
  }
  return page;
}

// Pages begin behind all pieces of the upload that was found last, so that each upload is found once. A store at the
// root of a bucket finds the uploads of every store below; others have theirs in one folder.
bool JsonDialect::ask_list_uploads(Call& call, std::string_view subject, std::string_view key_prefix,
                                   const UploadsPage& after) const {
  std::string prefix(key_prefix);
  if (!root_.path().empty()) prefix.insert(root_.path().size() + 1, fmt::format("{}/", kUploadsFolder));
  ask_list_page(call, CallKind::kListUploads, subject, prefix, 1000);
  if (root_.path().empty()) add_parameter(call.query, "matchGlob", fmt::format("**{}/**", kUploadsFolder));
  if (after.next_key.empty()) return true;
  add_parameter(call.query, after.next_id == kPageToken ? "pageToken" : "startOffset", after.next_key);
  return true;
}

Result<UploadsPage> JsonDialect::read_list_uploads(const Call& call) const {
  const auto answer = parse_list(call.exchange.text);
  if (!answer) return fail(answer.error());
  UploadsPage page;
  for (const StoredObject& object : answer->objects) {
    if (!is_piece_key(object.name)) continue;
    const size_t front = object.name.find(kUploadsFolder);
    const auto piece = parse_piece_name(std::string_view(object.name).substr(front));
    ListedUpload upload{object.name.substr(0, front) + std::string(piece->name),
                        fmt::format("{}{}", piece->upload, front)};
    const bool known =
        !page.uploads.empty() && page.uploads.back().key == upload.key && page.uploads.back().id == upload.id;
    if (!known) page.uploads.push_back(std::move(upload));
  }
  if (answer->next_token.empty()) return page;
  if (page.uploads.empty()) {  // a server that doesn't know matchGlob
    page.next_key = answer->next_token;
    page.next_id = kPageToken;
  } else {
    page.next_key = pieces_of_upload(page.uploads.back().key, page.uploads.back().id) + "~";
  }
  return page;
}

// An upload's id as lists tell it: its own digits, and how many bytes of the object's key stand in front of the folder
// of temporary objects.
std::string JsonDialect::pieces_of_upload(std::string_view key, std::string_view id) {
  const size_t front = std::min<size_t>(parse_number<uint64_t>(id.substr(kUploadDigits)).value_or(0), key.size());
  return std::string(key.substr(0, front)) + upload_prefix(key.substr(front), id.substr(0, kUploadDigits));
}

bool JsonDialect::ask_abort_found(Call& call, const RemoteObject& object, const std::string& id, unsigned round) const {
  if (round % 2 == 0) {
    const std::string prefix = pieces_of_upload(root_.key_of(object.name()), id);
    ask_list_page(call, CallKind::kListUploads, object.uri(), prefix, kMaxBatch);
    return true;
  }
  const auto answer = parse_list(call.exchange.text);
  if (!answer || answer->objects.empty()) return false;
  std::vector<std::string> keys;
  for (const StoredObject& piece : answer->objects) keys.push_back(piece.name);
  ask_sweep(call, object, keys);
  return true;
}

// ---- what came of it

std::optional<Error> JsonDialect::check_stored(const RemoteObject& object, const http::Exchange& head) const {
  const auto stored = parse_object(head.text);
  if (!stored) return stored.error();
  uint32_t sent = static_cast<uint32_t>(object.parts.front().checksum);
  if (!object.single()) sent = pieces_of(object).crc_of({pieces_of(object).top(), 0});
  if (!stored->crc32c || *stored->crc32c == sent) return std::nullopt;
  return Error{ErrorCode::kDataMismatch,
               fmt::format("{} was stored with CRC32C {}, but {} was sent", object.uri(),
                           object::crc32c_text(*stored->crc32c), object::crc32c_text(sent)),
               "found by objects.get after the upload"};
}

bool JsonDialect::accepts(const Call& call, std::string_view /*server_code*/) const {
  return call.exchange.status == 404 && call.kind == CallKind::kDeleteObject && !names_missing_bucket(call.exchange);
}

Verdict JsonDialect::judge_success(const Call& call) const {
  switch (call.kind) {
    case CallKind::kPutObject:
    case CallKind::kPutPart:
    case CallKind::kCommitUpload:
      return judge_written(call);
    case CallKind::kAbortUpload:
      return judge_batch(call);
    case CallKind::kGetObject:
      return judge_read(call);
    default:
      return {};
  }
}

}  // namespace

std::unique_ptr<const object::Dialect> make_json_dialect(const Location& root, const Settings& settings) {
  return std::make_unique<JsonDialect>(root, settings);
}

}  // namespace mlps::gcs
