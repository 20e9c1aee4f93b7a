#include "door/page_routes.h"

#include "page/page.h"

namespace tinyarms::door {
namespace {

void show(const page::Asset& asset, const Call& call) {
  call.send(http::Response{200, std::string(asset.content_type), std::string(asset.bytes),
                           {{"Content-Security-Policy", std::string(page::security_policy())},
                            {"Referrer-Policy", "no-referrer"},
                            {"X-Frame-Options", "DENY"},
                            {"Cross-Origin-Opener-Policy", "same-origin"},
                            {"Cross-Origin-Resource-Policy", "same-origin"}}});
}

void show_page(const Call& call) {
  for (const page::Asset& asset : page::assets()) {
    if (asset.path == call.request().path) return show(asset, call);
  }
  call.fail(openai::not_found(call.request().method, call.request().path));
}

}  // namespace

void add_page_routes(Door& door) {
  door.add({"GET", "/", Scope::Open, show_page});
  door.add({"GET", "/page/*", Scope::Open, show_page});
}

}  // namespace tinyarms::door
