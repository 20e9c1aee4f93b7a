#include "scan/ignore_chain.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"

namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;

IgnoreFile load_file(const std::string& path) {
  struct stat facts {};
  // Most folders have none: one system call tells.
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  auto text = read_file(path, kIgnoreFileBytesMax);
  return text ? IgnoreFile::parse(path, *text) : IgnoreFile{};
}

std::string_view strip(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

// core.excludesFile of one git configuration; empty where it sets none. Only the plain form of the
// line is understood; includes are not followed.
std::string excludes_setting(const std::string& path) {
  auto text = read_file(path, kIgnoreFileBytesMax);
  if (!text) return {};
  bool in_core = false;
  std::string found;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = strip(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.front() == '[') in_core = line == "[core]";
    const size_t equals = line.find('=');
    if (!in_core || equals == std::string_view::npos) continue;
    std::string key(strip(line.substr(0, equals)));
    for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (key == "excludesfile") found = strip(line.substr(equals + 1));
  }
  return found;
}

std::shared_ptr<const IgnoreFile> load_global(const Environment& environment) {
  const std::string home = environment("HOME").value_or("");
  const std::string xdg = environment("XDG_CONFIG_HOME").value_or("");
  const std::string config = xdg.empty() ? home + "/.config" : xdg;
  std::string path = excludes_setting(home + "/.gitconfig");
  if (path.empty()) path = excludes_setting(config + "/git/config");
  if (path.empty()) path = config + "/git/ignore";
  if (path.substr(0, 2) == "~/") path = home + path.substr(1);
  return std::make_shared<const IgnoreFile>(load_file(path));
}

}  // namespace

void IgnoreChain::load(const std::string& folder) {
  folder_ = folder;
  if (folder_.empty() || folder_.back() != '/') folder_ += '/';
  if (options_.dot) dot_ = load_file(folder_ + ".ignore");
  if (!options_.vcs) return;
  struct stat facts {};
  repository_root_ = ::lstat((folder_ + ".git").c_str(), &facts) == 0;
  in_repository_ = repository_root_ || (parent_ != nullptr && parent_->in_repository_);
  vcs_ = load_file(folder_ + ".gitignore");
  if (repository_root_ && options_.exclude) exclude_ = load_file(folder_ + ".git/info/exclude");
}

IgnoreChain::Pointer IgnoreChain::root(const std::string& folder, const IgnoreOptions& options,
                                       const Environment& environment) {
  std::error_code problem;
  fs::path absolute = fs::weakly_canonical(folder.empty() ? "." : folder, problem);
  if (problem) absolute = fs::absolute(folder, problem);
  std::vector<fs::path> folders = {absolute};
  for (fs::path above = absolute; options.parents && above.has_relative_path();) {
    above = above.parent_path();
    folders.push_back(above);
  }
  std::shared_ptr<const IgnoreFile> global;
  if (options.vcs && options.global) global = load_global(environment);
  Pointer chain;
  for (auto path = folders.rbegin(); path != folders.rend(); ++path) {
    std::shared_ptr<IgnoreChain> next(new IgnoreChain(options));
    next->parent_ = chain;
    next->global_ = global;
    next->load(path->string());
    chain = next;
  }
  return chain;
}

IgnoreChain::Pointer IgnoreChain::child(const Pointer& parent, std::string_view name) {
  std::shared_ptr<IgnoreChain> next(new IgnoreChain(parent->options_));
  next->parent_ = parent;
  next->global_ = parent->global_;
  next->load(parent->folder_ + std::string(name));
  return next;
}

Verdict IgnoreChain::match(std::string_view name, bool is_directory) const {
  const std::string path = folder_ + std::string(name);
  const auto ask = [&](const IgnoreChain& level, const IgnoreFile& file) {
    if (file.empty()) return Verdict::None;
    return file.match(std::string_view(path).substr(level.folder_.size()), is_directory);
  };
  for (const IgnoreChain* level = this; level != nullptr; level = level->parent_.get()) {
    if (const Verdict verdict = ask(*level, level->dot_); verdict != Verdict::None) return verdict;
  }
  if (!in_repository_ && !options_.anywhere) return Verdict::None;
  for (const IgnoreChain* level = this; level != nullptr; level = level->parent_.get()) {
    if (const Verdict verdict = ask(*level, level->vcs_); verdict != Verdict::None) return verdict;
    if (!level->repository_root_) continue;
    const Verdict verdict = ask(*level, level->exclude_);
    if (verdict != Verdict::None) return verdict;
    return global_ == nullptr ? Verdict::None : ask(*level, *global_);
  }
  return Verdict::None;
}

std::vector<std::string> IgnoreChain::notices() const {
  std::vector<std::string> all = dot_.notices();
  for (const IgnoreFile* file : {&vcs_, &exclude_}) {
    all.insert(all.end(), file->notices().begin(), file->notices().end());
  }
  return all;
}

}  // namespace tinyarms::scan
