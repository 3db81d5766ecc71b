#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace mlps::test {
namespace {

bool send_all(int fd, std::string_view data, bool one_byte_pieces = false) {
  while (!data.empty()) {
    const ssize_t sent = send(fd, data.data(), one_byte_pieces ? 1 : data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Makes close() send a reset instead of an orderly end.
void reset_on_close(int fd) {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

bool receive_more(int fd, std::string& pending) {
  std::array<char, 65536> piece;
  const ssize_t got = recv(fd, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  pending.append(piece.data(), static_cast<size_t>(got));
  return true;
}

Request parse_head(const std::string& head) {
  Request request;
  const auto first_blank = head.find(' ');
  const auto second_blank = head.find(' ', first_blank + 1);
  request.method = head.substr(0, first_blank);
  request.target = head.substr(first_blank + 1, second_blank - first_blank - 1);
  const auto question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string::npos) request.query = request.target.substr(question + 1);
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    at = end + 2;
    const auto colon = line.find(':');
    if (colon != std::string::npos) {
      request.headers[lower(line.substr(0, colon))] = trimmed(std::string_view(line).substr(colon + 1));
    }
  }
  return request;
}

std::string reply_head(const Reply& reply) {
  std::string head = fmt::format("HTTP/1.1 {} Words\r\n", reply.status);
  if (reply.chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (reply.status != 204) {
    head += fmt::format("Content-Length: {}\r\n", reply.announced_length.value_or(reply.body.size()));
  }
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (reply.close) head += "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace

std::string error_xml(const std::string& code, const std::string& message) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message>"
      "<RequestId>req-1</RequestId></Error>",
      code, message);
}

Reply error_reply(int status, const std::string& code, const std::string& message) {
  return {.status = status, .body = error_xml(code, message)};
}

std::string query_value(const std::string& query, const std::string& name) {
  for (size_t at = 0; at < query.size();) {
    const auto end = std::min(query.find('&', at), query.size());
    const std::string item = query.substr(at, end - at);
    if (item.starts_with(name + "=")) return item.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

ScriptedServer::ScriptedServer(size_t ports) {
  for (size_t i = 0; i < ports; ++i) listeners_.push_back(listen_on_loopback(64));
  for (size_t i = 0; i < ports; ++i) acceptors_.emplace_back([this, i] { accept_all(i); });
}

ScriptedServer::~ScriptedServer() {
  stopping_ = true;
  for (size_t i = 0; i < listeners_.size(); ++i) close_port(i);
  {
    const std::lock_guard lock(mutex_);
    for (const Connection& one : sockets_) shutdown(one.fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void ScriptedServer::close_port(size_t index) {
  if (!acceptors_[index].joinable()) return;
  shutdown(listeners_[index].fd, SHUT_RDWR);
  acceptors_[index].join();
  close(listeners_[index].fd);
}

void ScriptedServer::cut_port(size_t index) {
  close_port(index);
  const std::lock_guard lock(mutex_);
  for (const Connection& one : sockets_) {
    if (one.port != index) continue;
    reset_on_close(one.fd);
    shutdown(one.fd, SHUT_RD);  // its thread closes it
  }
}

std::string ScriptedServer::url(size_t index) const {
  return fmt::format("http://127.0.0.1:{}", port(index));
}

std::vector<std::string> ScriptedServer::urls() const {
  std::vector<std::string> all;
  for (size_t i = 0; i < listeners_.size(); ++i) all.push_back(url(i));
  return all;
}

void ScriptedServer::accept_all(size_t port) {
  for (;;) {
    const int fd = accept4(listeners_[port].fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const int number = connections_++;
    const std::lock_guard lock(mutex_);
    sockets_.push_back({fd, port});
    threads_.emplace_back([this, fd, port, number] { serve(fd, port, number); });
  }
}

void ScriptedServer::keep(const Request& request) {
  const std::lock_guard lock(mutex_);
  if (!before_) requests_.push_back(request);
}

void ScriptedServer::serve(int fd, size_t port, int number) {
  std::string pending;
  for (bool kept = false;; kept = true) {
    Request request;
    if (!read_head(fd, pending, request)) break;
    request.connection = number;
    request.port = port;
    request.kept = kept;
    const auto planned = injected(request);
    const auto fault = planned ? planned->fault : Reply::Fault::kNone;
    if (fault == Reply::Fault::kRefuseEarly) {
      keep(request);
    } else {
      const size_t stop_after = fault == Reply::Fault::kResetInUpload ? planned->upload_bytes : SIZE_MAX;
      const bool whole = read_body(fd, pending, request, stop_after);
      keep(request);
      if (!whole) break;
    }
    if (!send_reply(fd, request, planned ? *planned : store(request))) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(sockets_, [fd](const Connection& one) { return one.fd == fd; });
  close(fd);
}

bool ScriptedServer::read_head(int fd, std::string& pending, Request& request) {
  size_t end;
  while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more(fd, pending)) return false;
  }
  request = parse_head(pending.substr(0, end + 2));
  pending.erase(0, end + 4);
  return true;
}

bool ScriptedServer::read_body(int fd, std::string& pending, Request& request, size_t stop_after) {
  const auto header = request.headers.find("content-length");
  const size_t length = header == request.headers.end() ? 0 : std::stoull(header->second);
  if (request.headers.count("expect") != 0 && !send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n")) return false;
  while (pending.size() < length) {
    if (pending.size() >= stop_after) {
      reset_on_close(fd);
      return false;
    }
    if (!receive_more(fd, pending)) return false;
  }
  request.body = pending.substr(0, length);
  pending.erase(0, length);
  return true;
}

void ScriptedServer::inject(std::string method, std::string part, Reply reply, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(method), std::move(part), times, std::move(reply), nullptr, std::nullopt});
}

void ScriptedServer::inject_at(size_t port, std::string method, std::string part, Reply reply, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(method), std::move(part), times, std::move(reply), nullptr, port});
}

void ScriptedServer::alter(std::string method, std::string part, std::function<void(Reply&)> change, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(method), std::move(part), times, {}, std::move(change), std::nullopt});
}

std::optional<Reply> ScriptedServer::injected(const Request& request) {
  const std::lock_guard lock(mutex_);
  for (Rule& rule : rules_) {
    if (rule.change || rule.left <= 0 || rule.method != request.method) continue;
    if (request.target.find(rule.part) == std::string::npos || rule.port.value_or(request.port) != request.port)
      continue;
    --rule.left;
    return rule.reply;
  }
  return before_ ? before_(request) : std::nullopt;
}

bool ScriptedServer::send_reply(int fd, const Request& request, const Reply& reply) {
  using Fault = Reply::Fault;
  const std::string head = reply_head(reply);
  std::string body = request.method == "HEAD" ? "" : reply.body;
  if (reply.chunked && !body.empty()) body = fmt::format("{:x}\r\n{}\r\n", body.size(), body);
  if (reply.chunked) body += "0\r\n\r\n";
  for (int waited = 0; waited < reply.delay_ms && !stopping_; ++waited) usleep(1000);
  if (reply.early_hints && !send_all(fd, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")) return false;
  switch (reply.fault) {
    case Fault::kHang:
      while (!stopping_) {
        std::string ignored;
        if (!receive_more(fd, ignored)) return false;
      }
      return false;
    case Fault::kResetAtOnce:
    case Fault::kResetInUpload:  // the body had come with the head
      reset_on_close(fd);
      return false;
    case Fault::kGarbage:
      send_all(fd, "<html>\r\n<p>Not Found</p></html>\r\n\r\n");
      return false;
    case Fault::kResetInHeaders:
      send_all(fd, head.substr(0, head.size() / 2));
      reset_on_close(fd);
      return false;
    case Fault::kResetInBody:
      send_all(fd, head + body.substr(0, body.size() / 2));
      reset_on_close(fd);
      return false;
    case Fault::kShortBody:
      send_all(fd, head + body.substr(0, body.size() / 2));
      return false;
    case Fault::kRefuseEarly:
      send_all(fd, head + body);
      shutdown(fd, SHUT_WR);
      return false;
    case Fault::kLeftovers:
      return send_all(fd, head + body + "<p>leftovers</p>\r\n\r\n");
    case Fault::kNone:
      break;
  }
  return send_all(fd, head + body, reply.one_byte_pieces) && !reply.close;
}

std::vector<Request> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<Request> ScriptedServer::requests_at(size_t port) const {
  std::vector<Request> out;
  const std::lock_guard lock(mutex_);
  std::copy_if(requests_.begin(), requests_.end(), std::back_inserter(out),
               [port](const Request& request) { return request.port == port; });
  return out;
}

int ScriptedServer::count_at(size_t port) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(),
                                        [port](const Request& request) { return request.port == port; }));
}

int ScriptedServer::count(std::string_view method, std::string_view part) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.method == method && request.target.find(part) != std::string::npos;
  }));
}

std::map<std::string, std::string> ScriptedServer::objects() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> out;
  for (const auto& [path, stored] : objects_) out[path] = stored.bytes;
  return out;
}

void ScriptedServer::put_object(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_[path] = {std::move(bytes), "\"old\"", {}, time(nullptr) - 3600};
}

size_t ScriptedServer::open_uploads() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

std::vector<std::string> ScriptedServer::paths_of_uploads() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [id, upload] : uploads_) paths.push_back(upload.path);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace mlps::test
