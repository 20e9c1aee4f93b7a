// How programs of one user find the server that this user runs: a folder that is theirs alone (mode
// 0700), and in it, under a name made of the places where tinyArms keeps things, a socket and a
// lock. Who holds the lock is the server; a socket without one was left by a process that is gone.
//
// The folder is opened once and looked at through its descriptor, so that what was checked is what
// is used, and no path is too long for a socket.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/paths.h"
#include "base/result.h"

namespace tinyarms::resident {

// $XDG_RUNTIME_DIR/tinyarms, else `run` in the cache folder.
std::filesystem::path runtime_folder(const Environment& environment, const Paths& paths);

class OwnFolder {
 public:
  // Errors: NotFound (`make` makes it then), Config (not ours, open to others, a link or no
  // folder at all), Io.
  static Result<OwnFolder> open(const std::filesystem::path& path, bool make);

  int descriptor() const { return folder_->get(); }
  std::filesystem::path inside(const std::string& name) const;

 private:
  explicit OwnFolder(std::shared_ptr<Descriptor> folder) : folder_(std::move(folder)) {}
  std::shared_ptr<Descriptor> folder_;
};

// Where the server of these paths is announced.
struct Place {
  OwnFolder folder;
  std::string name;
  std::filesystem::path socket() const { return folder.inside(name + ".socket"); }
};

// Errors: those of OwnFolder::open.
Result<Place> find_place(const Environment& environment, const Paths& paths, bool make);

// One server's, as long as it lives.
class Announcement {
 public:
  // Errors: Unavailable (another server has it), Io; those of find_place.
  static Result<std::unique_ptr<Announcement>> claim(const Environment& environment,
                                                     const Paths& paths);
  // Where to listen: free, or a leftover that may be replaced.
  std::filesystem::path socket() const { return place_.socket(); }

 private:
  Announcement(Place place, int lock) : place_(std::move(place)), lock_(lock) {}
  Place place_;
  Descriptor lock_;
};

// Whether a server holds the lock now. Where none does, the socket it may have left is removed:
// `removed` says whether there was one.
bool is_held(const Place& place, bool& removed);

}  // namespace tinyarms::resident
