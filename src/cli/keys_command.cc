// tinyarms keys: who may ask the server (docs/serve.md).
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "cli/context.h"
#include "door/keys.h"

namespace tinyarms::cli {
namespace {

struct KeysOptions {
  std::string file;  // empty: beside config.toml
  std::string name;
  std::vector<std::string> scopes;
  int requests_per_minute = 0;
  std::string owner;
  bool json = false;
};

std::filesystem::path place(const KeysOptions& options, const Context& context) {
  return options.file.empty() ? context.paths.config_file.parent_path() / "keys.json"
                              : std::filesystem::path(options.file);
}

std::string today(const Clock& clock) {
  const auto now = static_cast<time_t>(clock.wall_seconds());
  struct tm parts {};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

nlohmann::ordered_json key_json(const door::ApiKey& key) {
  nlohmann::ordered_json scopes = nlohmann::ordered_json::array();
  for (const door::Scope scope : key.scopes) scopes.push_back(door::scope_name(scope));
  return {{"name", key.name},
          {"scopes", std::move(scopes)},
          {"requests_per_minute", key.requests_per_minute},
          {"owner", key.owner.empty() ? key.name : key.owner},
          {"created", key.created}};
}

Result<std::vector<door::Scope>> read_scopes(const std::vector<std::string>& names) {
  std::vector<door::Scope> scopes;
  for (const std::string& name : names) {
    const auto scope = door::parse_scope(name);
    if (!scope) {
      return Error{ErrorCode::InvalidArgument, "is no scope", name,
                   "there are models, chat, embeddings, metrics and admin"};
    }
    scopes.push_back(*scope);
  }
  return scopes;
}

void add_key(const KeysOptions& options, Context& context) {
  auto ring = door::KeyRing::load(place(options, context));
  if (!ring) return context.fail(ring.error(), options.json);
  std::vector<door::ApiKey> keys = ring->keys();
  for (const door::ApiKey& one : keys) {
    if (one.name != options.name) continue;
    return context.fail({ErrorCode::InvalidArgument, "there is a key of that name", options.name,
                         "tinyarms keys remove " + options.name},
                        options.json);
  }
  auto scopes = read_scopes(options.scopes);
  if (!scopes) return context.fail(scopes.error(), options.json);
  auto key = door::make_key();
  if (!key) return context.fail(key.error(), options.json);
  keys.push_back({.name = options.name,
                  .sha256 = sha256_hex(*key),
                  .scopes = *scopes,
                  .requests_per_minute = options.requests_per_minute,
                  .owner = options.owner,
                  .created = today(context.clock)});
  if (auto saved = door::KeyRing(keys).save(place(options, context)); !saved) {
    return context.fail(saved.error(), options.json);
  }
  const Terminal terminal = context.terminal();
  if (options.json) {
    nlohmann::ordered_json json = key_json(keys.back());
    json["key"] = *key;
    return terminal.out(json.dump() + "\n");
  }
  terminal.out(*key + "\n");
  terminal.note("this is the only time that it is shown; a running server takes it on SIGHUP");
}

void list_keys(const KeysOptions& options, Context& context) {
  auto ring = door::KeyRing::load(place(options, context));
  if (!ring) return context.fail(ring.error(), options.json);
  const Terminal terminal = context.terminal();
  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const door::ApiKey& key : ring->keys()) list.push_back(key_json(key));
    return terminal.out(nlohmann::ordered_json{{"keys", std::move(list)}}.dump() + "\n");
  }
  for (const door::ApiKey& key : ring->keys()) {
    std::string scopes;
    for (const door::Scope scope : key.scopes) {
      scopes += fmt::format("{}{}", scopes.empty() ? "" : ",", door::scope_name(scope));
    }
    terminal.out(printable(fmt::format("{}  {}  {}", key.name,
                                       scopes.empty() ? "all but admin" : scopes, key.created)) +
                 "\n");
  }
}

void remove_key(const KeysOptions& options, Context& context) {
  auto ring = door::KeyRing::load(place(options, context));
  if (!ring) return context.fail(ring.error(), options.json);
  std::vector<door::ApiKey> keys = ring->keys();
  const size_t removed =
      std::erase_if(keys, [&](const door::ApiKey& key) { return key.name == options.name; });
  if (removed == 0) {
    return context.fail({ErrorCode::InvalidArgument, "there is no key of that name", options.name,
                         "tinyarms keys list shows them"},
                        options.json);
  }
  if (auto saved = door::KeyRing(keys).save(place(options, context)); !saved) {
    return context.fail(saved.error(), options.json);
  }
  context.terminal().note("removed; a running server forgets it on SIGHUP");
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  auto options = std::make_shared<KeysOptions>();
  CLI::App* keys = app.add_subcommand("keys", "API keys of the server: add, list, remove");
  keys->require_subcommand(1);
  keys->add_option("--file", options->file, "The file (default: keys.json beside config.toml)")
      ->type_name("FILE");
  CLI::App* add = keys->add_subcommand("add", "Make a key and show it once");
  add->add_option("name", options->name, "Whose it is")->required()->type_name("NAME");
  add->add_option("--scope", options->scopes, "What it may do (default: all but admin)")
      ->allow_extra_args(false)
      ->type_name("SCOPE");
  add->add_option("--requests-per-minute", options->requests_per_minute, "0: no limit")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  add->add_option("--owner", options->owner,
                  "Keys of one owner share what is remembered (default: the name)")
      ->type_name("NAME");
  CLI::App* list = keys->add_subcommand("list", "Their names; the keys themselves are not kept");
  CLI::App* remove = keys->add_subcommand("remove", "Forget a key");
  remove->add_option("name", options->name, "Whose it is")->required()->type_name("NAME");
  for (CLI::App* one : {add, list}) one->add_flag("--json", options->json, "As JSON");
  add->callback([options, &context] { add_key(*options, context); });
  list->callback([options, &context] { list_keys(*options, context); });
  remove->callback([options, &context] { remove_key(*options, context); });
  keys->footer("Examples:\n  tinyarms keys add editor --scope chat --scope models\n"
               "  tinyarms keys list");
}

}  // namespace tinyarms::cli
