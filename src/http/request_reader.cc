#include "http/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/ascii.h"

namespace tinyarms::http {
namespace {

namespace beast = boost::beast;

constexpr size_t kFieldsMax = 128;

std::string text_of(beast::string_view text) { return std::string(text.data(), text.size()); }

int status_of(const boost::system::error_code& failure) {
  using beast::http::error;
  if (failure == error::header_limit) return 431;
  if (failure == error::body_limit) return 413;
  if (failure == error::bad_version) return 505;
  return 400;
}

// A path of visible ASCII: what is outside of it must come escaped.
bool is_origin_form(std::string_view target) {
  return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
           return c > 0x20 && c < 0x7f;
         });
}

}  // namespace

struct RequestReader::Parser {
  beast::http::request_parser<beast::http::string_body> beast;
};

RequestReader::RequestReader(Sizes sizes) : parser_(std::make_unique<Parser>()) {
  parser_->beast.header_limit(static_cast<uint32_t>(sizes.head_bytes_max));
  parser_->beast.body_limit(sizes.body_bytes_max);
}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::fail(int status, std::string why) {
  status_ = status;
  why_ = std::move(why);
  return State::Failed;
}

RequestReader::State RequestReader::feed(std::string_view bytes, size_t& taken) {
  taken = 0;
  if (status_ != 0) return State::Failed;
  auto& parser = parser_->beast;
  if (!bytes.empty()) started_ = true;
  while (!parser.is_done()) {
    if (taken == bytes.size()) return head_done_ ? State::Body : State::Head;
    boost::system::error_code failure;
    const std::string_view rest = bytes.substr(taken);
    taken += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), failure);
    if (failure == beast::http::error::need_more) {
      return head_done_ ? State::Body : State::Head;
    }
    if (failure) {
      return fail(status_of(failure), fmt::format("not a request: {}", failure.message()));
    }
    if (parser.is_header_done() && !head_done_) return finish_head();
  }
  if (!head_done_) return finish_head();
  request_.body = std::move(parser.get().body());
  return State::Done;
}

RequestReader::State RequestReader::finish_head() {
  head_done_ = true;
  const auto& head = parser_->beast.get();
  for (const auto& field : head) {
    request_.headers.push_back({lowered(text_of(field.name_string())), text_of(field.value())});
  }
  request_.method = text_of(head.method_string());
  const std::string target = text_of(head.target());
  if (head.version() != 10 && head.version() != 11) return fail(505, "HTTP/1.1 is spoken here");
  if (request_.headers.size() > kFieldsMax) return fail(431, "too many header fields");
  if (!is_origin_form(target)) return fail(400, "the target must be a path, escaped where needed");
  if (request_.count("host") > 1) return fail(400, "more than one Host");
  if (request_.count("content-length") > 1) return fail(400, "more than one Content-Length");
  if (auto length = request_.header("content-length");
      length && length->find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(400, "the Content-Length is no number");
  }
  if (request_.count("transfer-encoding") > 1) return fail(400, "more than one Transfer-Encoding");
  if (auto coding = request_.header("transfer-encoding")) {
    if (head.version() == 10) return fail(400, "Transfer-Encoding is not of HTTP/1.0");
    if (request_.header("content-length")) return fail(400, "a length said in two ways");
    if (lowered(std::string(*coding)) != "chunked") {
      return fail(501, "the only Transfer-Encoding known here is chunked");
    }
  }
  const size_t mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (mark != std::string::npos) request_.query = target.substr(mark + 1);
  return State::HeadDone;
}

bool RequestReader::keep_alive() const { return parser_->beast.keep_alive(); }

bool RequestReader::version_1_0() const { return parser_->beast.get().version() == 10; }

bool RequestReader::expects_continue() const {
  const auto expected = request_.header("expect");
  return expected && !version_1_0() && lowered(std::string(*expected)) == "100-continue";
}

bool RequestReader::has_body() const { return !parser_->beast.is_done(); }

}  // namespace tinyarms::http
