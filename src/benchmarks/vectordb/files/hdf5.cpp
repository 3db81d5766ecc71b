#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "benchmarks/vectordb/files/matrix.hpp"

/// HDF5 as the library writes it unless it is told otherwise: superblock 0 or 1, groups as tables of symbols, object
/// headers of version 1, data sets in one piece. It is read by its public specification, so that a hostile file meets
/// 300 lines that are fuzzed instead of a library of 300,000.
namespace mlps::vectordb {
namespace {

constexpr std::array<uint8_t, 8> kMark = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
constexpr uint64_t kRootEntry = 56;  // in superblock 0
constexpr size_t kMostMessages = 4096;
constexpr size_t kMostNodes = 4096;  // of a group, so that a circle ends
constexpr size_t kMostNameBytes = 256;

enum class MessageType : uint16_t {
  kDataspace = 1,
  kDatatype = 3,
  kLayout = 8,
  kFilters = 11,
  kAttribute = 12,
  kContinuation = 16,
  kSymbolTable = 17
};

struct Message {
  MessageType type;
  uint64_t offset, size;
};

tl::unexpected<Error> not_read(const FileBytes& bytes, const std::string& what) {
  return fail(ErrorCode::kConfigInvalid, fmt::format("{}: {}", bytes.name(), what), {},
              "copy the data set with numpy.save() into an .npy file, or write it with h5py's defaults");
}

bool has_signature(FileCursor& cursor, std::string_view signature) {
  std::array<char, 4> found{};
  cursor.take_bytes(std::as_writable_bytes(std::span(found)));
  return std::string_view(found.data(), found.size()) == signature;
}

std::string symbol_text(const FileBytes& bytes, uint64_t offset) {
  std::string text;
  FileCursor cursor(bytes, offset);
  while (text.size() < kMostNameBytes) {
    const char next = cursor.take<char>();
    if (next == '\0') break;
    text += next;
  }
  return text;
}

Result<uint64_t> root_header(const FileBytes& bytes) {
  FileCursor cursor(bytes, 0);
  std::array<uint8_t, 8> mark{};
  cursor.take_bytes(std::as_writable_bytes(std::span(mark)));
  const auto version = cursor.take<uint8_t>();
  cursor.skip(4);
  const auto offset_size = cursor.take<uint8_t>(), length_size = cursor.take<uint8_t>();
  if (!cursor.status()) return fail(cursor.status().error());
  if (mark != kMark) return bytes.wrong("it is no HDF5 file");
  if (version > 1) return not_read(bytes, fmt::format("its superblock has version {}; 0 and 1 are read", version));
  if (offset_size != 8 || length_size != 8) return bytes.wrong("its addresses have not 8 bytes");
  FileCursor root(bytes, kRootEntry + (version == 1 ? 4 : 0));
  root.skip(8);
  const auto header = root.take<uint64_t>();
  if (!root.status()) return fail(root.status().error());
  return header;
}

// Returns the messages of an object header, also of its continuations.
Result<std::vector<Message>> messages_of(const FileBytes& bytes, uint64_t header) {
  FileCursor cursor(bytes, header);
  const auto version = cursor.take<uint8_t>();
  cursor.skip(7);
  const auto size = cursor.take<uint32_t>();
  if (!cursor.status()) return fail(cursor.status().error());
  if (version != 1) return not_read(bytes, fmt::format("its object headers are not of version 1"));
  std::vector<Message> messages;
  std::vector<std::pair<uint64_t, uint64_t>> blocks = {{header + 16, size}};
  for (size_t block = 0; block < blocks.size(); ++block) {
    const auto [begin, length] = blocks[block];
    if (length > bytes.size()) return bytes.wrong("an object header is longer than the file");
    for (uint64_t at = 0; at + 8 <= length;) {
      FileCursor head(bytes, begin + at);
      const auto type = static_cast<MessageType>(head.take<uint16_t>());
      const auto message_size = head.take<uint16_t>();
      head.skip(4);
      if (!head.status()) return fail(head.status().error());
      messages.push_back({type, head.at(), message_size});
      if (type == MessageType::kContinuation) {
        const auto next = head.take<uint64_t>(), next_length = head.take<uint64_t>();
        blocks.emplace_back(next, next_length);
      }
      if (messages.size() > kMostMessages) return bytes.wrong("an object header has too many messages");
      at += 8 + uint64_t{message_size};
    }
  }
  return messages;
}

std::optional<Message> message_of(const std::vector<Message>& messages, MessageType type) {
  const auto found =
      std::find_if(messages.begin(), messages.end(), [&](const Message& one) { return one.type == type; });
  return found == messages.end() ? std::nullopt : std::optional(*found);
}

struct Symbol {
  std::string name;
  uint64_t header = 0;
};

// Appends the symbols of one node of a group: of a table, or of all below a node of the tree.
Status add_symbols(const FileBytes& bytes, uint64_t names, std::vector<uint64_t>& nodes, std::vector<Symbol>& symbols) {
  const uint64_t node = nodes.back();
  nodes.pop_back();
  FileCursor cursor(bytes, node);
  std::array<char, 4> signature{};
  cursor.take_bytes(std::as_writable_bytes(std::span(signature)));
  const std::string_view word(signature.data(), signature.size());
  cursor.skip(2);
  const auto count = cursor.take<uint16_t>();
  if (!cursor.status()) return cursor.status();
  if (word == "TREE") {
    cursor.skip(16);
    for (size_t i = 0; i < count && cursor.status(); ++i) {
      cursor.skip(8);
      nodes.push_back(cursor.take<uint64_t>());
    }
    return cursor.status();
  }
  if (word != "SNOD") return bytes.wrong("a group of it is damaged");
  for (size_t i = 0; i < count && cursor.status(); ++i) {
    const auto name = cursor.take<uint64_t>();
    const auto header = cursor.take<uint64_t>();
    cursor.skip(24);
    symbols.push_back({symbol_text(bytes, names + name), header});
  }
  return cursor.status();
}

Result<std::vector<Symbol>> symbols_of_root(const FileBytes& bytes) {
  const auto header = root_header(bytes);
  if (!header) return fail(header.error());
  const auto messages = messages_of(bytes, *header);
  if (!messages) return fail(messages.error());
  const auto table = message_of(*messages, MessageType::kSymbolTable);
  if (!table) return not_read(bytes, "its root has no table of symbols");
  FileCursor cursor(bytes, table->offset);
  std::vector<uint64_t> nodes = {cursor.take<uint64_t>()};
  FileCursor heap(bytes, cursor.take<uint64_t>());
  if (!has_signature(heap, "HEAP")) return bytes.wrong("the names of its data sets are damaged");
  heap.skip(20);
  const auto names = heap.take<uint64_t>();
  std::vector<Symbol> symbols;
  for (size_t seen = 0; !nodes.empty(); ++seen) {
    if (seen == kMostNodes || nodes.size() > kMostNodes) return bytes.wrong("its root has too many data sets");
    if (Status added = add_symbols(bytes, names, nodes, symbols); !added) return fail(added.error());
  }
  if (!heap.status()) return fail(heap.status().error());
  return symbols;
}

// Returns the type of elements that a message tells.
Result<Element> element_of(const FileBytes& bytes, uint64_t offset) {
  FileCursor cursor(bytes, offset);
  const uint8_t type_class = cursor.take<uint8_t>() & 0x0F;
  const auto bits = cursor.take<uint8_t>();
  cursor.skip(2);
  const auto size = cursor.take<uint32_t>();
  if (!cursor.status()) return fail(cursor.status().error());
  const bool big_endian = (bits & 1) != 0 || (type_class == 1 && (bits & 0x40) != 0);
  const bool is_signed = (bits & 8) != 0;
  if (!big_endian && type_class == 1) {
    if (size == 2) return Element::kFloat16;
    if (size == 4) return Element::kFloat32;
    if (size == 8) return Element::kFloat64;
  }
  if (!big_endian && type_class == 0) {
    if (size == 1) return is_signed ? Element::kInt8 : Element::kUint8;
    if (size == 2) return is_signed ? Element::kInt16 : Element::kUint16;
    if (size == 4) return is_signed ? Element::kInt32 : Element::kUint32;
    if (size == 8) return is_signed ? Element::kInt64 : Element::kUint64;
  }
  return not_read(bytes, "a data set has elements that are no little-endian floats or integers");
}

Status read_shape(const FileBytes& bytes, uint64_t offset, Matrix& matrix) {
  FileCursor cursor(bytes, offset);
  const auto version = cursor.take<uint8_t>(), rank = cursor.take<uint8_t>();
  cursor.skip(version == 1 ? 6 : 2);
  if (cursor.status() && rank != 2) return not_read(bytes, fmt::format("a data set has {} dimensions, not 2", rank));
  matrix.rows = cursor.take<uint64_t>();
  matrix.columns = cursor.take<uint64_t>();
  return cursor.status();
}

Status read_layout(const FileBytes& bytes, uint64_t offset, Matrix& matrix) {
  FileCursor cursor(bytes, offset);
  const auto version = cursor.take<uint8_t>(), kind = cursor.take<uint8_t>();
  matrix.offset = cursor.take<uint64_t>();
  if (!cursor.status()) return cursor.status();
  if (version != 3 || kind != 1)
    return not_read(bytes, "a data set is not in one piece: it is in chunks, or compressed");
  if (matrix.offset == UINT64_MAX) return bytes.wrong("a data set has no data");
  return {};
}

// Returns the text of a value in the global heap: what a string of any length refers to.
Result<std::string> heap_text(const FileBytes& bytes, uint64_t collection, uint32_t wanted, uint32_t length) {
  FileCursor cursor(bytes, collection);
  if (!has_signature(cursor, "GCOL")) return bytes.wrong("a text attribute is damaged");
  cursor.skip(4);
  const uint64_t end = collection + std::min(cursor.take<uint64_t>(), bytes.size());
  for (size_t seen = 0; seen < kMostMessages && cursor.at() + 16 <= end && cursor.status(); ++seen) {
    const auto index = cursor.take<uint16_t>();
    cursor.skip(6);
    const auto size = cursor.take<uint64_t>();
    if (index == wanted) {
      std::string text(std::min<uint64_t>({size, length, kMostNameBytes}), '\0');
      cursor.take_bytes(std::as_writable_bytes(std::span(text)));
      if (!cursor.status()) break;
      return text;
    }
    if (index == 0 || size > bytes.size()) break;
    cursor.skip((size + 7) / 8 * 8);
  }
  return bytes.wrong("a text attribute is damaged");
}

// Returns the text of an attribute of that name, if the message is one.
Result<std::optional<std::string>> attribute_text(const FileBytes& bytes, const Message& message,
                                                  std::string_view name) {
  FileCursor cursor(bytes, message.offset);
  const auto version = cursor.take<uint8_t>();
  cursor.skip(1);
  const auto name_size = cursor.take<uint16_t>(), type_size = cursor.take<uint16_t>(),
             space_size = cursor.take<uint16_t>();
  if (version == 3) cursor.skip(1);
  const auto padded = [&](uint64_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
  if (!cursor.status()) return fail(cursor.status().error());
  if (symbol_text(bytes, cursor.at()) != name) return std::nullopt;
  const uint64_t type = cursor.at() + padded(name_size);
  FileCursor value(bytes, type + padded(type_size) + padded(space_size));
  FileCursor type_cursor(bytes, type);
  const uint8_t type_class = type_cursor.take<uint8_t>() & 0x0F;
  type_cursor.skip(3);
  const auto size = type_cursor.take<uint32_t>();
  if (!type_cursor.status()) return fail(type_cursor.status().error());
  if (type_class == 3) {
    std::string text(std::min<size_t>(size, kMostNameBytes), '\0');
    value.take_bytes(std::as_writable_bytes(std::span(text)));
    if (!value.status()) return fail(value.status().error());
    return text.substr(0, text.find('\0'));
  }
  if (type_class != 9) return std::nullopt;
  const auto length = value.take<uint32_t>();
  const auto collection = value.take<uint64_t>();
  const auto index = value.take<uint32_t>();
  if (!value.status()) return fail(value.status().error());
  auto text = heap_text(bytes, collection, index, length);
  if (!text) return fail(text.error());
  return std::move(*text);
}

}  // namespace

Result<Matrix> find_hdf5_matrix(const FileBytes& bytes, const std::string& part) {
  const auto symbols = symbols_of_root(bytes);
  if (!symbols) return fail(symbols.error());
  const auto symbol =
      std::find_if(symbols->begin(), symbols->end(), [&](const Symbol& one) { return one.name == part; });
  if (symbol == symbols->end()) {
    std::vector<std::string> names;
    for (const Symbol& one : *symbols) names.push_back(terminal_text(one.name));
    return fail(ErrorCode::kConfigInvalid, fmt::format("{} has no data set '{}'", bytes.name(), part),
                fmt::format("it has {}", join(names, ", ").substr(0, 300)), "name one: FILE#DATASET");
  }
  const auto messages = messages_of(bytes, symbol->header);
  if (!messages) return fail(messages.error());
  const auto space = message_of(*messages, MessageType::kDataspace),
             type = message_of(*messages, MessageType::kDatatype), layout = message_of(*messages, MessageType::kLayout);
  if (!space || !type || !layout) return not_read(bytes, fmt::format("'{}' is no data set", part));
  if (message_of(*messages, MessageType::kFilters)) return not_read(bytes, fmt::format("'{}' is compressed", part));
  Matrix matrix;
  const auto element = element_of(bytes, type->offset);
  if (!element) return fail(element.error());
  matrix.element = *element;
  if (Status read = read_shape(bytes, space->offset, matrix); !read) return fail(read.error());
  if (Status read = read_layout(bytes, layout->offset, matrix); !read) return fail(read.error());
  return matrix;
}

Result<std::string> hdf5_distance(const FileBytes& bytes) {
  const auto header = root_header(bytes);
  if (!header) return fail(header.error());
  const auto messages = messages_of(bytes, *header);
  if (!messages) return fail(messages.error());
  for (const Message& message : *messages) {
    if (message.type != MessageType::kAttribute) continue;
    auto text = attribute_text(bytes, message, "distance");
    if (!text) return fail(text.error());
    if (*text) return std::move(**text);
  }
  return std::string();
}

}  // namespace mlps::vectordb
