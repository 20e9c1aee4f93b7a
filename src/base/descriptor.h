// Owns a POSIX file descriptor: closed when the owner goes.
#pragma once

#include <unistd.h>

namespace tinyarms {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }  // negative where opening failed

 private:
  int value_;
};

}  // namespace tinyarms
