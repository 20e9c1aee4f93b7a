#include "eval/inflate.h"

#include <zlib.h>

#include <array>
#include <memory>

namespace tinyarms::eval {

bool is_gzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1f\x8b"; }

Result<std::string> inflate(std::string_view bytes, size_t bytes_max) {
  const Error corrupt{ErrorCode::Corrupt, "compressed data that is damaged or cut short", "",
                      "fetch the file again"};
  z_stream stream{};
  constexpr int kEitherHeader = 15 + 32;
  if (inflateInit2(&stream, kEitherHeader) != Z_OK) {
    return Error{ErrorCode::Internal, "zlib cannot start", "", ""};
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closing(&stream, &inflateEnd);
  // zlib counts input in 32 bits; larger files are none of ours.
  if (bytes.size() > (size_t{1} << 31)) return corrupt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 1 << 16> piece;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > bytes_max) {
      return Error{ErrorCode::OverBudget, "compressed data that grows beyond every limit", "",
                   "fetch the file again"};
    }
  }
  return code == Z_STREAM_END ? Result<std::string>(std::move(out)) : Result<std::string>(corrupt);
}

}  // namespace tinyarms::eval
