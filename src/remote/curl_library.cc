// The typechecking macros of curl.h would stand in the way of calls through pointers.
#define CURL_DISABLE_TYPECHECK
#include "remote/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>

namespace tinyarms::remote {
namespace {

Error not_usable(std::string what) {
  return Error{ErrorCode::Unsupported, std::move(what), "libcurl.so.4",
               "install it: apt-get install libcurl4"};
}

Result<CurlLibrary> load() {
  // Never unloaded: libcurl and OpenSSL register handlers that outlive any call.
  void* handle = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return not_usable(::dlerror());
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
  decltype(&curl_global_init) global_init;
  find(global_init, "curl_global_init");
  CurlLibrary library{};
  find(library.easy_init, "curl_easy_init");
  find(library.easy_cleanup, "curl_easy_cleanup");
  find(library.easy_setopt, "curl_easy_setopt");
  find(library.easy_getinfo, "curl_easy_getinfo");
  find(library.easy_strerror, "curl_easy_strerror");
  find(library.slist_append, "curl_slist_append");
  find(library.slist_free_all, "curl_slist_free_all");
  find(library.multi_init, "curl_multi_init");
  find(library.multi_cleanup, "curl_multi_cleanup");
  find(library.multi_add_handle, "curl_multi_add_handle");
  find(library.multi_remove_handle, "curl_multi_remove_handle");
  find(library.multi_perform, "curl_multi_perform");
  find(library.multi_poll, "curl_multi_poll");
  find(library.multi_info_read, "curl_multi_info_read");
  find(library.url, "curl_url");
  find(library.url_cleanup, "curl_url_cleanup");
  find(library.url_set, "curl_url_set");
  find(library.url_get, "curl_url_get");
  find(library.free, "curl_free");
  if (!missing.empty()) return not_usable(fmt::format("it has no {}", missing));
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return not_usable("it cannot be started");
  return library;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Result<CurlLibrary> library = load();
  if (!library) return library.error();
  return &*library;
}

}  // namespace tinyarms::remote
