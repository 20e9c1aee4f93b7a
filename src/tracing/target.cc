#include "tracing/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "base/ascii.h"
#include "remote/endpoint.h"
#include "remote/http.h"
#include "remote/http_connections.h"

namespace tinyarms::tracing {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";
constexpr size_t kReplyBytesMax = 64 << 10;

Error refused(std::string what, std::string where, std::string hint) {
  return Error{ErrorCode::Config, std::move(what), std::move(where), std::move(hint)};
}

// As the specification has it, an empty variable is none.
std::optional<std::string> variable(const Environment& environment, const std::string& name) {
  auto value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

// A value and the variable that it is from; the one for traces alone comes before the one for all.
struct Found {
  std::string value;
  std::string name;
};

std::optional<Found> exporter_variable(const Environment& environment, const std::string& what) {
  for (const std::string& name :
       {"OTEL_EXPORTER_OTLP_TRACES_" + what, "OTEL_EXPORTER_OTLP_" + what}) {
    if (auto value = variable(environment, name)) return Found{std::move(*value), name};
  }
  return std::nullopt;
}

// Stricter than libcurl: what it and we could read differently is no address.
bool is_address(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    const std::string_view host = rest.substr(0, rest.find('/'));
    const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
      return is_ascii_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' ||
             c == '[' || c == ']';
    });
    const std::string_view path = rest.substr(host.size());
    const bool straight = std::all_of(path.begin(), path.end(), [](char c) {
      return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '#';
    });
    return !host.empty() && !host.starts_with(':') && plain && straight;
  }
  return false;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Percent signs that begin no escape stand for themselves.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    plain += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return plain;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// "a=1,b=2", as W3C's baggage has it, without properties.
Result<Pairs> read_pairs(const Found& list) {
  Pairs pairs;
  std::string_view rest = list.value;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    if (trimmed(one).empty()) continue;
    const size_t equals = one.find('=');
    std::string name(trimmed(one.substr(0, equals)));
    if (equals == std::string_view::npos || name.empty()) {
      return refused("is no list of name=value pairs with commas between them", list.name, "");
    }
    pairs.emplace_back(std::move(name), unescaped(trimmed(one.substr(equals + 1))));
  }
  return pairs;
}

bool is_header_name(const std::string& name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return is_ascii_letter(c) || is_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

// Those that say how the message is to be read are ours.
bool is_ours(const std::string& name) {
  const std::string small = lowered(name);
  return small == "content-type" || small == "content-length" || small == "transfer-encoding" ||
         small == "host" || small == "connection" || small == "expect";
}

// Names alone are told, should one be wrong: values are secrets.
Result<std::vector<std::string>> read_headers(const Environment& environment) {
  std::vector<std::string> headers = {"Content-Type: application/json"};
  const auto found = exporter_variable(environment, "HEADERS");
  if (!found) return headers;
  auto pairs = read_pairs(*found);
  if (!pairs) return pairs.error();
  for (const auto& [name, value] : *pairs) {
    const bool straight = std::all_of(value.begin(), value.end(),
                                      [](char c) { return c >= ' ' && c <= '~'; });
    if (!is_header_name(name) || !straight || is_ours(name)) {
      return refused("holds a header that cannot be sent", found->name,
                     "names are HTTP's, and values visible ASCII");
    }
    headers.push_back(name + ": " + value);
  }
  return headers;
}

Result<void> read_number(const Environment& environment, const std::string& name, double minimum,
                         double unit, double& into) {
  const auto text = variable(environment, name);
  if (!text) return {};
  int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  const auto value = static_cast<double>(number);
  constexpr double kMaximum = 1e9;
  if (read.ptr != end || read.ec != std::errc() || value < minimum || value > kMaximum) {
    return refused(fmt::format("is no whole number from {:.0f} to {:.0f}", minimum, kMaximum), name,
                   "");
  }
  into = value * unit;
  return {};
}

Result<void> read_numbers(const Environment& environment, Target& target) {
  constexpr double kMilliseconds = 1e-3;
  auto queue = static_cast<double>(target.terms.queue_spans_max);
  auto batch = static_cast<double>(target.terms.batch_spans_max);
  for (const auto& [name, minimum, unit, into] :
       {std::tuple("OTEL_EXPORTER_OTLP_TIMEOUT", 1.0, kMilliseconds, &target.timeout_seconds),
        std::tuple("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 1.0, kMilliseconds,
                   &target.timeout_seconds),
        std::tuple("OTEL_BSP_SCHEDULE_DELAY", 0.0, kMilliseconds, &target.terms.delay_seconds),
        std::tuple("OTEL_BSP_MAX_QUEUE_SIZE", 1.0, 1.0, &queue),
        std::tuple("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1.0, 1.0, &batch)}) {
    if (auto read = read_number(environment, name, minimum, unit, *into); !read) return read;
  }
  target.terms.queue_spans_max = static_cast<size_t>(queue);
  target.terms.batch_spans_max = static_cast<size_t>(batch);
  return {};
}

// OTEL_SERVICE_NAME is stronger than a name among the attributes.
Result<void> read_resource(const Environment& environment, Target& target) {
  constexpr const char* kList = "OTEL_RESOURCE_ATTRIBUTES";
  std::string service = "tinyarms";
  Pairs others;
  if (auto list = variable(environment, kList)) {
    auto pairs = read_pairs({std::move(*list), kList});
    if (!pairs) return pairs.error();
    for (auto& [name, value] : *pairs) {
      if (name == "service.name") {
        service = std::move(value);
      } else {
        others.emplace_back(std::move(name), std::move(value));
      }
    }
  }
  target.resource = {
      {"service.name", variable(environment, "OTEL_SERVICE_NAME").value_or(service)}};
  target.resource.insert(target.resource.end(), others.begin(), others.end());
  return {};
}

// The base of all signals has the path put behind it; what is for traces alone is taken as it is.
struct Place {
  std::string url;
  std::string from;  // the setting or variable
};

std::optional<Place> find_place(const TargetWish& wish, const Environment& environment) {
  const auto below = [](std::string base) {
    return remote::without_last_slash(std::move(base)) + std::string(kTracesPath);
  };
  if (!wish.endpoint.empty()) {
    const bool whole = wish.endpoint.ends_with(kTracesPath);
    return Place{whole ? wish.endpoint : below(wish.endpoint), "telemetry.otlp_endpoint"};
  }
  auto found = exporter_variable(environment, "ENDPOINT");
  if (!found) return std::nullopt;
  const bool whole = found->name.find("TRACES") != std::string::npos;
  return Place{whole ? std::move(found->value) : below(std::move(found->value)),
               std::move(found->name)};
}

bool is_off(const TargetWish& wish, const Environment& environment) {
  if (lowered(variable(environment, "OTEL_SDK_DISABLED").value_or("")) == "true") return true;
  const auto exporter = variable(environment, "OTEL_TRACES_EXPORTER");
  return wish.endpoint.empty() && exporter && *exporter != "otlp";
}

Result<void> check_place(const Place& place, const TargetWish& wish, const Target& target) {
  if (!is_address(place.url)) {
    return refused("is no web address", place.from, "write it like http://127.0.0.1:4318");
  }
  if (remote::is_on_this_machine(place.url)) return {};
  const std::string where = remote::place_of(place.url);
  if (wish.offline) {
    return refused(fmt::format("names another machine ({}), and offline = true opens no connection "
                               "to any",
                               where),
                   place.from, "name a collector on this machine, or set offline = false");
  }
  const bool bare = place.url.starts_with("http://");
  if (bare && (target.headers.size() > 1 || !wish.endpoint.empty())) {
    return refused(fmt::format("would reach another machine ({}) unencrypted", where), place.from,
                   "use https");
  }
  return {};
}

}  // namespace

Result<std::optional<Target>> find_target(const TargetWish& wish, const Environment& environment) {
  if (is_off(wish, environment)) return std::optional<Target>();
  auto place = find_place(wish, environment);
  if (!place) return std::optional<Target>();
  const auto protocol = exporter_variable(environment, "PROTOCOL");
  if (protocol && wish.endpoint.empty() && !protocol->value.starts_with("http/")) {
    return refused("asks for a protocol that is not spoken here", protocol->name,
                   "http/json is; collectors take it on port 4318");
  }
  Target target;
  auto headers = read_headers(environment);
  if (!headers) return headers.error();
  target.headers = std::move(*headers);
  if (auto read = read_numbers(environment, target); !read) return read.error();
  if (auto read = read_resource(environment, target); !read) return read.error();
  if (auto checked = check_place(*place, wish, target); !checked) return checked.error();
  target.direct = wish.offline || remote::is_on_this_machine(place->url);
  target.url = std::move(place->url);
  return std::optional(std::move(target));
}

Courier courier_to(const Target& target) {
  auto connections = std::make_shared<remote::HttpConnections>();
  return [target, connections](const std::string& body, const StopFlag& stop) {
    Delivery delivery;
    const remote::HttpLimits limits{.connect_seconds = target.timeout_seconds,
                                    .idle_seconds = target.timeout_seconds,
                                    .total_seconds = target.timeout_seconds,
                                    .bytes_max = kReplyBytesMax};
    const remote::HttpSink sink{
        .on_reply =
            [&](const remote::HttpReply& reply) {
              delivery.status = reply.status;
              delivery.retry_after_seconds = reply.retry_after_seconds;
            },
        .on_bytes =
            [&](std::string_view bytes) {
              delivery.reply += bytes;
              return true;
            }};
    const auto posted = remote::post(
        {.url = target.url, .headers = target.headers, .body = body, .direct = target.direct},
        limits, stop, sink, connections.get());
    // A reply that broke off after its status was said is one all the same.
    if (!posted && delivery.status == 0) {
      delivery.problem = fmt::format("{}: {}", posted.error().where, posted.error().what);
    }
    return delivery;
  };
}

}  // namespace tinyarms::tracing
