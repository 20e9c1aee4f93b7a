#include "cli/cost_terms.h"

#include <fmt/format.h>

#include "cli/models_commands.h"
#include "service/user_files.h"

namespace tinyarms::cli {
namespace {

constexpr double kSecondsAnHour = 3600;

telemetry::TierTerms local_terms(const std::string& name, const service::Settings& settings,
                                 const Context& context) {
  telemetry::TierTerms terms{.model = name};
  if (name.empty()) return terms;
  const auto model = catalog::ModelStore(context.paths.models_dir).find(name);
  if (!model) return terms;
  if (const auto speed = measured_speed(*model, settings.threads, context)) {
    terms.prompt_tokens_rate = speed->prompt_tokens_rate;
    terms.answer_tokens_rate = speed->answer_tokens_rate;
    terms.watts = speed->watts;
  }
  return terms;
}

telemetry::TokenPrice price_of(const advice::Price& price) {
  return {.input = price.input, .output = price.output};
}

// One with answers to sell: an embedding's tokens are another thing.
bool answers_for_money(const advice::CatalogueModel& model) {
  return model.remote && model.price && model.price->output > 0;
}

const advice::CatalogueModel* cheapest(const advice::Catalogue& catalogue) {
  const advice::CatalogueModel* found = nullptr;
  for (const advice::CatalogueModel& model : catalogue.models) {
    if (!answers_for_money(model)) continue;
    if (found == nullptr || model.price->output < found->price->output) found = &model;
  }
  return found;
}

std::optional<storage::TokenPrice> price_in(const advice::Catalogue& catalogue,
                                            const std::string& model) {
  const auto known = catalogue.find(model);
  if (!known || !answers_for_money(**known)) return std::nullopt;
  return price_of(*(*known)->price);
}

}  // namespace

service::PriceList price_list(const Context& context) {
  return [&context](const std::string& model) {
    return price_in(load_catalogue(context), model);
  };
}

Result<std::optional<storage::DaySpending>> spending_today(const service::Settings& settings,
                                                           const Context& context) {
  if (settings.l4.budget_per_day <= 0) return std::optional<storage::DaySpending>();
  auto book = storage::Spending::open(service::spending_path(context.paths), context.clock);
  if (!book) return book.error();
  auto day = (*book)->today();
  if (!day) return day.error();
  return std::optional(std::move(*day));
}

std::string spending_text(const storage::DaySpending& day, double limit) {
  std::string text = fmt::format("{:.4f} of {:.4f} US dollars spent on {} (UTC), by {} question{}",
                                 day.spent, limit, day.day, day.questions,
                                 day.questions == 1 ? "" : "s");
  if (day.held > 0) text += fmt::format("; {:.4f} held", day.held);
  return text;
}

Result<telemetry::CostTerms> cost_terms(const service::Settings& settings, const std::string& api,
                                        const Context& context) {
  const advice::Catalogue catalogue = load_catalogue(context);
  const advice::CatalogueModel* compared = cheapest(catalogue);
  if (!api.empty()) {
    const auto named = catalogue.find(api);
    if (!named) return named.error();
    compared = *named;
    if (!answers_for_money(*compared)) {
      return Error{ErrorCode::InvalidArgument, "the catalogue knows no price of its answers", api,
                   "tinyarms models catalog lists what there is; a file of your own can add it"};
    }
  }
  telemetry::CostTerms terms;
  terms.watts_assumed = settings.cost.watts;
  terms.dollars_a_kwh = settings.cost.kwh_price;
  terms.dollars_a_second =
      settings.cost.hardware_price / (settings.cost.hardware_hours * kSecondsAnHour);
  if (settings.l1.enabled) terms.tiers[1] = local_terms(settings.l1.model, settings, context);
  if (settings.l2.enabled) terms.tiers[2] = local_terms(settings.l2.model, settings, context);
  if (settings.l3.enabled) terms.tiers[3] = local_terms(settings.l3.model, settings, context);
  telemetry::TierTerms& remote = terms.tiers[4];
  remote.model = settings.l4.model;
  remote.remote = true;
  remote.price = service::remote_price(
      settings.l4, [&](const std::string& model) { return price_in(catalogue, model); });
  if (compared != nullptr) {
    terms.api = compared->name;
    terms.api_price = price_of(*compared->price);
  }
  return terms;
}

}  // namespace tinyarms::cli
