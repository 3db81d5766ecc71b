#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "disturber.hpp"
#include "storage/object/remote_object.hpp"

namespace mlps::test {

/// Does with a store everything that a benchmark does, and looks after what is promised: the right bytes, nothing left,
/// no operation that outlasts the patience.
class Player {
 public:
  /// `longest` is what one operation may take.
  Player(Service& service, Disturber& disturber, const object::TransferSettings& settings, Nanos longest);

  /// Called once while parts of an object are under way: to break an endpoint then.
  std::function<void()> while_writing, while_reading;

  /// Does everything once, with faults that are to be overcome. Returns what is not as promised; empty: all is.
  std::string play();
  /// Does everything while one kind of request never succeeds: what ends in an error leaves nothing behind.
  std::string endure(const std::function<void()>& begin, const std::function<void()>& end);

  /// Ends the session and returns what the client has counted.
  std::vector<storage::ServerUse> uses();

 private:
  /// An object and what it is to hold.
  struct Piece {
    std::string name;
    std::string bytes;
    std::unique_ptr<storage::Object> object;
  };

  Piece& piece(const std::string& name, uint64_t size);
  std::string run(storage::OpKind kind, std::vector<Piece*> pieces);
  std::string write(const std::vector<Piece*>& pieces);
  std::string write_and_forget(Piece& piece);
  std::string read(Piece& piece);
  std::string check_stored(const std::vector<std::string>& expected);
  template <class Call>
  std::string timed(const char* what, Call call);

  Service& service_;
  Disturber& disturber_;
  const Nanos longest_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Session> session_;
  std::map<std::string, Piece> pieces_;
  std::string too_long_;
};

}  // namespace mlps::test
