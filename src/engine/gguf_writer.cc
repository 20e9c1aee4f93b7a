#include "engine/gguf_writer.h"

#include <fmt/format.h>

#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.h"

namespace tinyarms::engine {

GgufWriter::GgufWriter() : gguf_(gguf_init_empty()) {}
GgufWriter::~GgufWriter() { gguf_free(gguf_); }

void GgufWriter::set(const char* key, const std::string& value) { set(key, value.c_str()); }
void GgufWriter::set(const char* key, const char* value) { gguf_set_val_str(gguf_, key, value); }
void GgufWriter::set(const char* key, uint32_t value) { gguf_set_val_u32(gguf_, key, value); }
void GgufWriter::set(const char* key, float value) { gguf_set_val_f32(gguf_, key, value); }
void GgufWriter::set(const char* key, bool value) { gguf_set_val_bool(gguf_, key, value); }

void GgufWriter::set(const char* key, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const std::string& value : values) pointers.push_back(value.c_str());
  gguf_set_arr_str(gguf_, key, pointers.data(), pointers.size());
}

void GgufWriter::set(const char* key, const std::vector<int32_t>& values) {
  gguf_set_arr_data(gguf_, key, GGUF_TYPE_INT32, values.data(), values.size());
}

void GgufWriter::add(Tensor tensor) {
  ggml_tensor described = {};
  described.type = tensor.type;
  size_t stride = ggml_type_size(tensor.type);
  for (size_t i = 0; i < GGML_MAX_DIMS; ++i) {
    described.ne[i] = i < tensor.shape.size() ? tensor.shape[i] : 1;
    described.nb[i] = stride;
    stride = i == 0 ? ggml_row_size(tensor.type, described.ne[0])
                    : stride * static_cast<size_t>(described.ne[i]);
  }
  ggml_set_name(&described, tensor.name.c_str());
  assert(tensor.bytes.size() == ggml_nbytes(&described));
  tensors_.push_back(std::make_unique<Tensor>(std::move(tensor)));
  gguf_add_tensor(gguf_, &described);
  gguf_set_tensor_data(gguf_, tensors_.back()->name.c_str(), tensors_.back()->bytes.data());
}

Result<void> GgufWriter::write(const std::filesystem::path& destination) const {
  PendingFile pending(destination);
  const auto io_error = [&](int number) {
    return Error{ErrorCode::Io, fmt::format("cannot be written: {}", std::strerror(number)),
                 destination.string(), "check the folder, its permissions and the disk's room"};
  };
  errno = 0;
  std::FILE* file = std::fopen(pending.path().c_str(), "wb");
  if (file == nullptr) return io_error(errno);
  // ggml's own writer of files does not look whether the last block reached the disk.
  const bool written = gguf_write_to_file_ptr(gguf_, file, /*only_meta=*/false);
  const bool flushed = std::fflush(file) == 0;
  const int number = errno != 0 ? errno : EIO;
  const bool closed = std::fclose(file) == 0;
  if (!written || !flushed || !closed) return io_error(number);
  return pending.commit();
}

}  // namespace tinyarms::engine
