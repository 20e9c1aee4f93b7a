#include "tiers/intent_source.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/sha256.h"
#include "intent/example.h"
#include "intent/train.h"

namespace tinyarms::tiers {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHeadBytesMax = 64 << 20;

// Another version's examples make another head.
fs::path kept_path(const IntentSource& source) {
  std::string identity = source.encoder + "\n";
  for (const EmbeddedFile& file : intent::bundled_files()) identity += sha256_hex(file.bytes);
  return source.kept_folder / fmt::format("intent-{}.json", sha256_hex(identity).substr(0, 16));
}

Result<intent::Head> read_head(const fs::path& path) {
  auto text = read_file(path, kHeadBytesMax);
  if (!text) return text.error();
  return intent::parse_head(*text, path.string());
}

}  // namespace

Result<ProvidedHead> provide_head(const IntentSource& source, const EmbedAll& embed) {
  ProvidedHead provided;
  std::error_code ignored;
  if (!source.user_head.empty() && fs::exists(source.user_head, ignored)) {
    auto head = read_head(source.user_head);
    if (head && head->encoder == source.encoder) {
      provided.head = std::move(*head);
      return provided;
    }
    provided.notice =
        head ? fmt::format("{} was trained with another embedding model; going on with the "
                           "bundled classes (train it again: tinyarms intent train FILE.jsonl)",
                           source.user_head.string())
             : fmt::format("going on with the bundled classes: {}", head.error().message());
  }
  if (auto bundled = intent::bundled_head(source.encoder)) {
    provided.head = std::move(*bundled);
    return provided;
  }
  const fs::path kept = source.kept_folder.empty() ? fs::path() : kept_path(source);
  if (!kept.empty()) {
    auto head = read_head(kept);
    if (head && head->encoder == source.encoder) {
      provided.head = std::move(*head);
      return provided;
    }
  }
  const std::vector<intent::Example> examples = intent::bundled_examples();
  std::vector<std::string> texts;
  for (const intent::Example& example : examples) texts.push_back(example.text);
  auto vectors = embed(texts);
  if (!vectors) return vectors.error().wrap("embedding the intent examples");
  auto trained = intent::train(examples, *vectors, source.encoder);
  if (!trained) return trained.error();
  provided.head = std::move(trained->head);
  // Where it cannot be kept, the next process trains it again.
  if (!kept.empty()) (void)write_file_atomically(kept, intent::head_json(provided.head));
  return provided;
}

}  // namespace tinyarms::tiers
