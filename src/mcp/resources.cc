// The index of the user's files and the last decisions, as documents.
#include "corpus/library.h"
#include "mcp/tools.h"
#include "service/library_access.h"

namespace tinyarms::mcp {
namespace {

constexpr const char* kIndexUri = "tinyarms://index";
constexpr const char* kTracesUri = "tinyarms://traces";
constexpr std::string_view kTracePrefix = "tinyarms://traces/";
constexpr size_t kUriMax = 256;

OrderedJson no_index(const Error& error) {
  return {{"indexed", false}, {"why", error.message()}};
}

// Only what lies below this server's folders, or holds one of them.
bool shares(const Roots& roots, const std::string& path) {
  if (roots.contains(path)) return true;
  for (const std::string& folder : roots.folders()) {
    if (corpus::lies_in(folder, path)) return true;
  }
  return false;
}

OrderedJson index_document(Workshop& shop) {
  const auto settings = shop.kitchen.settings.get();
  auto index = service::open_to_search(*settings, shop.paths, shop.kitchen.clock);
  if (!index) return no_index(index.error());
  corpus::Library& library = *index->library;
  const corpus::VectorMaker* maker = library.maker();
  auto roots = library.roots();
  if (!roots) return no_index(roots.error());
  OrderedJson folders = OrderedJson::array();
  for (const corpus::Root& root : *roots) {
    if (!shares(shop.roots, root.path)) continue;
    auto totals = library.store().totals(root.path);
    if (!totals) return no_index(totals.error());
    folders.push_back({{"path", root.path},
                       {"files", totals->files},
                       {"passages", totals->passages},
                       {"completed_at",
                        root.completed_at ? OrderedJson(utc_time(*root.completed_at))
                                          : OrderedJson(nullptr)}});
  }
  return {{"indexed", !folders.empty()},
          {"served_folders", shop.roots.folders()},
          {"model", maker != nullptr ? OrderedJson(maker->model) : OrderedJson(nullptr)},
          {"dimensions", maker != nullptr ? maker->dimensions : 0},
          {"notice", index->notice},
          {"folders", std::move(folders)}};
}

class Documents final : public Resources {
 public:
  Documents(Workshop& shop, Errands& errands) : shop_(shop), errands_(errands) {}

  std::vector<ResourceInfo> list() const override {
    return {{kIndexUri, "index", "Index of the user's files",
             "What `tinyarms index add` has indexed below this server's folders: what search_code "
             "can find"},
            {kTracesUri, "traces", "Last decisions",
             "The newest answers: who gave them and how sure they were"}};
  }

  std::vector<ResourceInfo> templates() const override {
    return {{"tinyarms://traces/{id}", "trace", "One decision",
             "Tiers, evidence, confidence and threshold of a decision"}};
  }

  void read(const std::shared_ptr<ResourceCall>& call) override {
    if (call->uri().size() > kUriMax || !known(*call)) return call->finish(std::nullopt);
    const bool taken =
        errands_.submit(call->stop(), [this, call] { call->finish(document(*call)); });
    if (!taken) call->finish(OrderedJson{{"error", "this server is at its limit: try again"}});
  }

 private:
  static bool known(const ResourceCall& call) {
    const std::string& uri = call.uri();
    if (uri == kIndexUri) return call.client().files;
    return uri == kTracesUri ||
           (uri.starts_with(kTracePrefix) && uri.size() > kTracePrefix.size());
  }

  std::optional<OrderedJson> document(const ResourceCall& call) {
    if (call.uri() == kIndexUri) return index_document(shop_);
    if (call.uri() == kTracesUri) {
      return OrderedJson{{"decisions", newest_decisions(shop_, call.client())}};
    }
    auto decision = find_decision(shop_, call.client(), call.uri().substr(kTracePrefix.size()));
    if (!decision) return std::nullopt;
    return std::move(*decision);
  }

  Workshop& shop_;
  Errands& errands_;
};

}  // namespace

std::unique_ptr<Resources> make_resources(Workshop& shop, Errands& errands) {
  return std::make_unique<Documents>(shop, errands);
}

}  // namespace tinyarms::mcp
