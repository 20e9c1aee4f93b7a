#include "engine/gguf_merge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>

#include "base/descriptor.h"
#include "engine/gguf_header.h"
#include "engine/mapped_file.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kWriteBlock = 8 << 20;

struct MergePart {
  MappedFile file;
  GgufHeader header;
  std::filesystem::path path;
};

Error not_together(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), path.string(), "fetch all parts again"};
}

template <typename T>
void append_field(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Result<std::vector<MergePart>> open_parts(const std::vector<std::filesystem::path>& paths) {
  std::vector<MergePart> parts;
  std::set<std::string> names;
  for (const std::filesystem::path& path : paths) {
    auto file = MappedFile::open(path);
    if (!file) return file.error();
    auto header = GgufHeader::parse(file->bytes(), path);
    if (!header) return header.error();
    const uint64_t number = header->integer("split.no").value_or(~0ull);
    const uint64_t count = header->integer("split.count").value_or(0);
    if (number != parts.size() || count != paths.size()) {
      return not_together(path, fmt::format("is no part {} of {}", parts.size() + 1,
                                            paths.size()));
    }
    for (const GgufTensor& tensor : header->tensors()) {
      if (!names.insert(tensor.name).second) {
        return not_together(path, fmt::format("'{}' is in two parts", tensor.name));
      }
    }
    parts.push_back({std::move(*file), std::move(*header), path});
  }
  if (parts.empty()) return not_together("", "there are no parts");
  const auto wanted = parts.front().header.integer("split.tensors.count");
  if (wanted && *wanted != names.size()) {
    return not_together(paths.front(), fmt::format("the parts hold {} tensors of {}", names.size(),
                                                   *wanted));
  }
  return parts;
}

uint64_t aligned(uint64_t at, uint64_t alignment) {
  return (at + alignment - 1) / alignment * alignment;
}

std::string merged_header(const std::vector<MergePart>& parts, uint64_t alignment) {
  std::string pairs;
  uint64_t pair_count = 0;
  for (const GgufHeader::RawPair& pair : parts.front().header.raw_pairs()) {
    if (pair.key.starts_with("split.")) continue;
    pairs += pair.bytes;
    ++pair_count;
  }
  std::string tensors;
  uint64_t tensor_count = 0;
  uint64_t offset = 0;
  for (const MergePart& part : parts) {
    for (const GgufTensor& tensor : part.header.tensors()) {
      append_field(tensors, uint64_t{tensor.name.size()});
      tensors += tensor.name;
      append_field(tensors, static_cast<uint32_t>(tensor.dimensions));
      for (int i = 0; i < tensor.dimensions; ++i) append_field(tensors, tensor.shape[size_t(i)]);
      append_field(tensors, static_cast<int32_t>(tensor.type));
      append_field(tensors, offset);
      offset = aligned(offset + tensor.bytes, alignment);
      ++tensor_count;
    }
  }
  std::string header = "GGUF";
  append_field(header, uint32_t{3});
  append_field(header, tensor_count);
  append_field(header, pair_count);
  header += pairs + tensors;
  header.resize(aligned(header.size(), alignment), '\0');
  return header;
}

class MergedFile {
 public:
  explicit MergedFile(const std::filesystem::path& path)
      : path_(path),
        file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {}

  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        return Error{ErrorCode::Io, std::strerror(errno), path_.string(),
                     "check the folder, its permissions and the disk's room"};
      }
      bytes.remove_prefix(static_cast<size_t>(written));
      at_ += static_cast<uint64_t>(written);
    }
    return {};
  }
  Result<void> pad(uint64_t alignment) {
    return write(std::string(aligned(at_, alignment) - at_, '\0'));
  }
  uint64_t at() const { return at_; }

 private:
  const std::filesystem::path& path_;
  Descriptor file_;
  uint64_t at_ = 0;
};

}  // namespace

Result<void> merge_gguf(const std::vector<std::filesystem::path>& paths,
                        const std::filesystem::path& destination, const StopFlag& stop,
                        const std::function<void(uint64_t, uint64_t)>& progress) {
  auto parts = open_parts(paths);
  if (!parts) return parts.error();
  const uint64_t alignment = parts->front().header.alignment();
  uint64_t total = 0;
  for (const MergePart& part : *parts) total += part.file.bytes().size();
  MergedFile merged(destination);
  if (auto written = merged.write(merged_header(*parts, alignment)); !written) return written;
  for (const MergePart& part : *parts) {
    for (const GgufTensor& tensor : part.header.tensors()) {
      std::string_view bytes = part.file.bytes().substr(tensor.offset, tensor.bytes);
      while (!bytes.empty()) {
        if (stop.raised()) {
          return Error{ErrorCode::Interrupted, "stopped", destination.string(), ""};
        }
        if (auto written = merged.write(bytes.substr(0, kWriteBlock)); !written) return written;
        bytes.remove_prefix(std::min(bytes.size(), kWriteBlock));
        if (progress) progress(std::min(merged.at(), total), total);
      }
      if (auto padded = merged.pad(alignment); !padded) return padded;
    }
  }
  return {};
}

}  // namespace tinyarms::engine
