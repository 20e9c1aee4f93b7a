#include "cli/index_workshop.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/index_report.h"
#include "service/assistant.h"
#include "service/library_access.h"

namespace tinyarms::cli {
namespace {

// The encoder of the vectors that serve, so that what changes meanwhile is right in those too.
void load_serving(Workshop& work, const Context& context, Error& problem) {
  const corpus::VectorMaker& maker = work.library->writes(corpus::Library::Which::Serving);
  auto model = service::find_maker(maker, context.paths);
  if (!model) {
    problem = model.error();
    return;
  }
  auto encoder = service::load_encoder(*model, work.settings,
                                       {.shelf = &work.models->shelf(), .use = "index"});
  if (encoder) {
    work.serving = std::move(*encoder);
  } else {
    problem = encoder.error();
  }
}

}  // namespace

corpus::Indexer Workshop::indexer(Context& context) {
  const Terminal terminal = context.terminal(settings);
  const bool other = library->has_next();
  return corpus::Indexer(
      *library, other ? *serving : *encoder, context.clock, context.stop,
      {.own_folder = service::library_folder(context.paths),
       .environment = process_environment(),
       .progress = [terminal](const auto& now) { terminal.status(progress_line(now)); },
       .next = other ? encoder.get() : nullptr,
       .remake_progress = [terminal](const auto& now) { terminal.status(progress_line(now)); }});
}

Result<Workshop> open_workshop(const service::Settings& settings, const WorkshopNeeds& needs,
                               const Context& context) {
  auto model = service::encoder_model(settings, context.paths);
  if (!model) return model.error();
  Workshop work{.settings = settings, .model = std::move(*model), .models = {}, .encoder = {},
                .serving = {}, .library = {}};
  work.models = std::make_unique<service::ModelPool>(settings, context.paths, context.clock,
                                                     service::physical_memory());
  auto encoder = service::load_encoder(work.model, settings,
                                       {.shelf = &work.models->shelf(), .use = "index"});
  if (!encoder) return encoder.error();
  work.encoder = std::move(*encoder);
  const bool there = corpus::Library::exists(service::library_folder(context.paths));
  if (needs.index == WorkshopNeeds::Index::Without) return work;
  if (needs.index == WorkshopNeeds::Index::IfThere && !there) return work;
  corpus::LibraryOptions options = service::library_options(
      work.model, settings, context.paths, static_cast<size_t>(work.encoder->dimensions()));
  options.rebuild = needs.rebuild;
  const Terminal terminal = context.terminal(settings);
  auto library = corpus::Library::open_to_write(options, context.clock, context.stop, [&] {
    terminal.note("note: another process is indexing; waiting until it is done");
  });
  if (!library) return library.error();
  work.library = std::move(*library);
  if (!work.library->notice().empty() && !needs.quiet) {
    terminal.note(printable("note: " + work.library->notice()));
  }
  if (!work.library->has_next()) return work;
  Error problem;
  load_serving(work, context, problem);
  if (work.serving) return work;
  if (!needs.quiet) {
    terminal.note(printable(fmt::format("note: {}; searching by words alone until the vectors of "
                                        "{} are made", problem.message(), work.model.name)));
  }
  if (auto done = work.library->abandon_serving(); !done) return done.error();
  return work;
}

Result<service::CacheRemakeReport> remake_cache(Workshop& work, Context& context) {
  const Terminal terminal = context.terminal(work.settings);
  const storage::CacheEncoder encoder{.id = service::identity_of(work.model),
                                      .name = work.model.name};
  auto missing = service::cache_vectors_missing(encoder, context.paths, context.clock);
  if (!missing) return missing.error();
  auto report = service::remake_cache_vectors(
      *work.encoder, encoder,
      {.paths = context.paths,
       .clock = context.clock,
       .stop = context.stop,
       .progress =
           [terminal](const service::CacheRemakeProgress& now) {
             terminal.status(fmt::format("remembered questions: {} of {}, {:.0f}/s, about {:.0f} s "
                                         "left", now.done, now.all, now.per_second,
                                         now.seconds_left));
           },
       .on_wait = [terminal] { terminal.note("note: another process makes them; waiting"); }});
  terminal.status("");
  return report;
}

Result<Remade> remake_vectors(Workshop& work, Context& context) {
  Remade remade;
  auto cache = remake_cache(work, context);
  if (!cache) return cache.error();
  remade.cache = *cache;
  if (!work.library || remade.cache.interrupted) return remade;
  corpus::Indexer indexer = work.indexer(context);
  auto index = indexer.remake();
  context.terminal(work.settings).status("");
  if (!index) return index.error();
  remade.index = std::move(*index);
  if (remade.index.model.empty() || remade.index.interrupted) return remade;
  // What was remembered while the index was at it.
  auto rest = remake_cache(work, context);
  if (!rest) return rest.error();
  remade.cache.made += rest->made;
  remade.cache.too_long += rest->too_long;
  remade.cache.seconds += rest->seconds;
  remade.cache.interrupted = rest->interrupted;
  return remade;
}

std::string cache_remake_line(const service::CacheRemakeReport& report) {
  if (report.made == 0) return {};
  std::string text = fmt::format("vectors of {} remembered questions made in {:.1f} s",
                                 report.made, report.seconds);
  if (report.too_long > 0) {
    text += fmt::format("; {} are too long and found by the same words only", report.too_long);
  }
  return text + "\n";
}

nlohmann::ordered_json cache_remake_json(const service::CacheRemakeReport& report) {
  return {{"made", report.made},
          {"too_long", report.too_long},
          {"complete", !report.interrupted},
          {"seconds", report.seconds}};
}

}  // namespace tinyarms::cli
