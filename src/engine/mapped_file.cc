#include "engine/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tinyarms::engine {
namespace {

Error system_error(const std::filesystem::path& path, int number) {
  if (number == ENOENT || number == ENOTDIR) {
    return Error{ErrorCode::NotFound, "there is no such file", path.string(), "check the path"};
  }
  return Error{ErrorCode::Io, std::strerror(number), path.string(),
               "check its permissions and the disk"};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: a named pipe without a writer would otherwise hang here.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return system_error(path, errno);

  struct stat facts = {};
  if (::fstat(descriptor, &facts) != 0) {
    const int number = errno;
    ::close(descriptor);
    return system_error(path, number);
  }
  if (!S_ISREG(facts.st_mode)) {
    ::close(descriptor);
    return Error{ErrorCode::Io, "is not a regular file", path.string(), "name a file"};
  }
  const auto size = static_cast<size_t>(facts.st_size);
  if (size == 0) {
    ::close(descriptor);
    return MappedFile(nullptr, 0);
  }
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int number = errno;
  ::close(descriptor);  // the mapping keeps the file
  if (address == MAP_FAILED) return system_error(path, number);
  return MappedFile(static_cast<const char*>(address), size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace tinyarms::engine
