#include "corpus/file_choice.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/ascii.h"

namespace tinyarms::corpus {
namespace {

constexpr size_t kMarkupBytesMax = 64 << 10;  // JSON, YAML, XML, HTML, CSS above it are data
constexpr size_t kMeanLineMax = 300;          // bytes; above it code was minified or generated
constexpr size_t kLinesLookedAt = 50;

constexpr std::string_view kVendored[] = {
    "node_modules", "bower_components", "jspm_packages", "vendor",       "vendors",
    "third_party",  "third-party",      "thirdparty",    "3rdparty",     "site-packages",
    "dist-packages", "venv",            "virtualenv",    "__pycache__",  "Pods",
    "Carthage",     "DerivedData",      ".venv"};

constexpr std::string_view kLocks[] = {
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock",   "pnpm-lock.yaml", "Cargo.lock",
    "poetry.lock",       "Pipfile.lock",        "go.sum",      "composer.lock",  "Gemfile.lock",
    "uv.lock",           "flake.lock"};

constexpr std::string_view kBinary[] = {
    "png", "jpg", "jpeg", "gif", "bmp", "ico", "icns", "webp", "tif", "tiff", "psd", "avif",
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods",
    "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "jar", "war", "whl", "deb", "rpm",
    "so", "a", "o", "obj", "dll", "dylib", "exe", "lib", "class", "pyc", "pyo", "wasm", "bin",
    "mp3", "mp4", "ogg", "wav", "flac", "avi", "mov", "mkv", "webm",
    "ttf", "otf", "woff", "woff2", "eot",
    "gguf", "safetensors", "onnx", "pt", "pth", "npy", "npz", "h5", "pkl", "parquet",
    "sqlite", "sqlite3", "db", "mo", "idx", "pack", "swp"};

constexpr std::string_view kData[] = {"csv", "tsv", "jsonl", "ndjson", "svg", "map", "ipynb",
                                      "geojson", "log", "po", "patch", "diff", "snap", "out"};

constexpr std::string_view kMarkup[] = {"json", "yaml", "xml", "html", "css", "text"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string ending_of(std::string_view path) {
  const std::string_view name = name_of(path);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string() : lowered(name.substr(dot + 1));
}

}  // namespace

std::string_view left_out_name(LeftOut reason) {
  switch (reason) {
    case LeftOut::Ignored: return "ignored";
    case LeftOut::Hidden: return "hidden";
    case LeftOut::Vendored: return "vendored";
    case LeftOut::Secret: return "secret";
    case LeftOut::Binary: return "binary";
    case LeftOut::Data: return "data";
    case LeftOut::NotUtf8: return "not_utf8";
    case LeftOut::TooLarge: return "too_large";
    case LeftOut::Unreadable: return "unreadable";
    case LeftOut::Changing: return "changing";
    case LeftOut::Link: return "link";
  }
  return "unreadable";
}

bool is_vendored_folder(std::string_view path) { return is_one_of(kVendored, name_of(path)); }

std::optional<LeftOut> leave_out_file(std::string_view path) {
  const std::string_view name = name_of(path);
  if (is_one_of(kLocks, name)) return LeftOut::Vendored;
  const std::string low = lowered(name);
  for (const std::string_view mark : {".min.js", ".min.css", ".bundle.js", ".min.mjs"}) {
    if (low.size() > mark.size() && low.ends_with(mark)) return LeftOut::Vendored;
  }
  const std::string ending = ending_of(path);
  if (is_one_of(kBinary, ending)) return LeftOut::Binary;
  if (is_one_of(kData, ending)) return LeftOut::Data;
  return std::nullopt;
}

std::optional<LeftOut> leave_out_text(std::string_view text, std::string_view language) {
  if (is_one_of(kMarkup, language) && text.size() > kMarkupBytesMax) return LeftOut::Data;
  size_t at = 0;
  size_t lines = 0;
  while (at < text.size() && lines < kLinesLookedAt) {
    const size_t end = text.find('\n', at);
    at = end == std::string_view::npos ? text.size() : end + 1;
    ++lines;
  }
  const bool prose = language == "markdown" || language == "rst" || language == "text";
  if (!prose && lines > 0 && text.size() > 4096 && at / lines > kMeanLineMax) {
    return LeftOut::Vendored;
  }
  return std::nullopt;
}

std::string language_name(std::string_view path) {
  if (const rules::Language* known = rules::language_of_path(path)) {
    return std::string(known->name);
  }
  const std::string ending = ending_of(path);
  if (ending == "md" || ending == "markdown" || ending == "mdx") return "markdown";
  if (ending == "rst") return "rst";
  const std::string_view name = name_of(path);
  if (name == "CMakeLists.txt" || ending == "cmake") return "cmake";
  if (name == "Makefile" || name == "GNUmakefile" || ending == "mk") return "make";
  if (name == "Dockerfile") return "dockerfile";
  for (const std::string_view code : {"toml", "ini", "sql", "proto", "lua", "pl", "r", "jl", "xml",
                                      "vue", "svelte", "tf", "gradle", "hs", "ml", "ex", "clj"}) {
    if (ending == code) return ending;
  }
  return "text";
}

}  // namespace tinyarms::corpus
