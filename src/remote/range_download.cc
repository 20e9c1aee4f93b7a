#include "remote/range_download.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "remote/piece_file.h"

namespace tinyarms::remote {
namespace {

constexpr double kBackoffSeconds = 0.25;
constexpr double kBackoffMax = 10;

std::string sha256_in(std::string etag) {
  etag.erase(std::remove(etag.begin(), etag.end(), '"'), etag.end());
  const bool hash = etag.size() == 64 &&
                    etag.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hash ? etag : "";
}

struct Asked {
  uint64_t bytes = 0;
  bool ranges = true;
  std::string etag{};
  std::string sha256{};
  std::string url{};  // where the redirects led
};

Error contradiction(std::string what, const std::string& url) {
  return Error{ErrorCode::Corrupt, std::move(what), url,
               "the server is not to be trusted, or the file has changed: try a mirror"};
}

class RangeFetcher {
 public:
  RangeFetcher(WebSession& session, const RangeDownload& file, const StopFlag& stop,
               const RangeProgress& progress)
      : session_(session), file_(file), stop_(stop), progress_(progress) {}

  Result<RangeReport> run() {
    auto asked = ask();
    if (!asked) return asked.error();
    asked_ = std::move(*asked);
    if (file_.wanted && !file_.wanted(report().version)) return report();
    auto opened = PieceFile::open(file_.part, {.version = version(), .bytes = asked_.bytes});
    if (!opened) return opened.error();
    pieces_.emplace(std::move(*opened));
    there_ = pieces_->bytes_there();
    tell();
    if (there_ == asked_.bytes) return report();
    auto done = asked_.ranges ? fetch_pieces() : fetch_whole();
    if (!done) return done.error();
    return report();
  }

 private:
  struct Job {
    size_t piece = 0;
    uint64_t at = 0;  // the next byte that is wanted
    std::string url{};   // it was asked for at
    bool wrong = false;
  };

  // Where nothing tells two versions apart, a call's pieces are its own.
  std::string version() const {
    if (!asked_.sha256.empty()) return "sha256:" + asked_.sha256;
    if (!asked_.etag.empty()) return "etag:" + asked_.etag;
    return fmt::format("call:{}", std::chrono::system_clock::now().time_since_epoch().count());
  }

  RangeReport report() const {
    return {.version = {.bytes = asked_.bytes, .etag = asked_.etag, .sha256 = asked_.sha256},
            .fetched = fetched_};
  }

  void tell() const {
    if (progress_) progress_(there_, asked_.bytes);
  }

  WebRequest request(const std::string& url, uint64_t begin, uint64_t end) const {
    return {.url = url, .begin = begin, .end = end, .if_range = "", .token = file_.token};
  }

  // One byte, to learn the size, the version and whether the server knows ranges.
  Result<Asked> ask() {
    for (int attempt = 0;; ++attempt) {
      WebReply reply;
      std::optional<Error> error;
      bool ended = false;
      size_t got = 0;
      session_.start(request(file_.url, 0, 1),
                     {.on_reply = [](const WebReply& begun) { return begun.status == 206; },
                      .on_bytes = [&](std::string_view bytes) {
                        got += bytes.size();
                        return got <= 1;
                      },
                      .on_done = [&](const WebReply& last, const Error* failure) {
                        reply = last;
                        if (failure != nullptr) error = *failure;
                        ended = true;
                      }});
      while (!ended) {
        if (auto moved = session_.step(stop_); !moved) return moved.error();
      }
      if (!error && (reply.status == 200 || reply.status == 206)) return understand(reply);
      if (!error && reply.status == 416) return contradiction("the file is empty", file_.url);
      if (attempt + 1 >= file_.tries || !worth_a_retry(reply, error ? &*error : nullptr)) {
        return error ? *error : status_error(reply, file_.url);
      }
      if (auto waited = wait(reply, attempt); !waited) return waited.error();
    }
  }

  Result<Asked> understand(const WebReply& reply) const {
    Asked asked{.bytes = 0, .ranges = reply.status == 206, .etag = reply.etag,
                .sha256 = file_.sha256, .url = reply.url};
    const auto said = asked.ranges ? reply.range_total : reply.length;
    if (asked.ranges && !said) return contradiction("a part of a file of no length", file_.url);
    if (said && file_.bytes != 0 && *said != file_.bytes) {
      return contradiction(fmt::format("the server has a file of {} bytes, {} were announced",
                                       *said, file_.bytes), file_.url);
    }
    asked.bytes = said.value_or(file_.bytes);
    if (asked.bytes == 0) return contradiction("it does not say how long the file is", file_.url);
    if (asked.bytes > file_.bytes_max) {
      return Error{ErrorCode::OverBudget,
                   fmt::format("the file has {:.2f} GB, {:.2f} GB are allowed",
                               static_cast<double>(asked.bytes) / 1e9,
                               static_cast<double>(file_.bytes_max) / 1e9),
                   file_.url, "raise the setting pull.size_max_gb"};
    }
    const std::string linked = sha256_in(reply.linked_etag);
    if (!linked.empty() && !file_.sha256.empty() && linked != file_.sha256) {
      return contradiction("the server's file has another SHA-256 than was announced", file_.url);
    }
    if (asked.sha256.empty()) asked.sha256 = linked;
    return asked;
  }

  Result<void> wait(const WebReply& reply, int in_vain) const {
    const double backoff = std::min(kBackoffSeconds * (1 << std::min(in_vain, 8)), kBackoffMax);
    return wait_before_retry(std::max(reply.retry_after_seconds, backoff), stop_);
  }

  Result<void> fetch_pieces() {
    for (size_t i = 0; i < pieces_->pieces(); ++i) {
      if (!pieces_->has(i)) waiting_.push_back({.piece = i, .at = pieces_->begin(i)});
    }
    while (true) {
      while (!waiting_.empty() && running_ < file_.connections && !pause_) {
        Job job = waiting_.front();
        waiting_.pop_front();
        start(job);
      }
      if (failure_) {
        session_.cancel();
        return *failure_;
      }
      if (running_ == 0 && waiting_.empty()) return {};
      if (running_ == 0 && pause_) {
        const WebReply reply = *pause_;
        pause_.reset();
        if (auto waited = wait(reply, in_vain_); !waited) return waited;
      }
      if (auto moved = session_.step(stop_); !moved) return moved;
    }
  }

  void start(const Job& job) {
    ++running_;
    auto shared = std::make_shared<Job>(job);
    shared->url = asked_.url;
    WebRequest wanted = request(asked_.url, job.at, pieces_->end(job.piece));
    // The hash decides where it is known; a weak validator is none for ranges.
    if (asked_.sha256.empty() && !asked_.etag.empty() && !asked_.etag.starts_with("W/")) {
      wanted.if_range = asked_.etag;
    }
    if (asked_.url != file_.url) wanted.token = ApiKey();
    session_.start(std::move(wanted),
                   {.on_reply = [this, shared](const WebReply& reply) {
                      shared->wrong = reply.status != 206 || reply.range_begin != shared->at ||
                                      reply.range_total != asked_.bytes;
                      return !shared->wrong && !failure_;
                    },
                    .on_bytes = [this, shared](std::string_view bytes) {
                      return take(*shared, bytes);
                    },
                    .on_done = [this, shared](const WebReply& reply, const Error* error) {
                      --running_;
                      ended(*shared, reply, error);
                    }});
  }

  bool take(Job& job, std::string_view bytes) {
    if (failure_) return false;
    const uint64_t room = pieces_->end(job.piece) - job.at;
    if (bytes.size() > room) {
      failure_ = contradiction("the server sends more than was asked for", file_.url);
      return false;
    }
    if (auto written = pieces_->write(job.at, bytes); !written) {
      failure_ = written.error();
      return false;
    }
    job.at += bytes.size();
    there_ += bytes.size();
    fetched_ += bytes.size();
    in_vain_ = 0;
    tell();
    return true;
  }

  void ended(const Job& job, const WebReply& reply, const Error* error) {
    if (failure_) return;
    if (job.wrong && reply.status == 206) {
      failure_ = contradiction("the server sent another part than was asked for", file_.url);
      return;
    }
    if (job.wrong) {
      failure_ = Error{ErrorCode::Unavailable, "the file changed while it was fetched", file_.url,
                       "call it again"};
      return;
    }
    if (job.at == pieces_->end(job.piece)) {
      if (auto marked = pieces_->mark(job.piece); !marked) failure_ = marked.error();
      return;
    }
    if (!pause_) ++in_vain_;  // else it was under way when another one failed
    // Where redirects lead to is often valid for a while only: back to where they began.
    const bool expired = reply.status >= 400 && reply.status < 500 && job.url != file_.url;
    if (expired) asked_.url = file_.url;
    const bool broken_off = error == nullptr && (reply.status == 200 || reply.status == 206);
    if (in_vain_ >= file_.tries || !(expired || broken_off || worth_a_retry(reply, error))) {
      failure_ = error != nullptr ? *error
                 : broken_off     ? Error{ErrorCode::Unavailable, "the server breaks off",
                                          file_.url, "call it again: what came is kept"}
                                  : status_error(reply, file_.url);
      return;
    }
    waiting_.push_front(job);
    if (!pause_ || pause_->retry_after_seconds < reply.retry_after_seconds) pause_ = reply;
  }

  // From front to back in one go.
  Result<void> fetch_whole() {
    uint64_t at = 0;
    std::optional<WebReply> last;
    std::optional<Error> error;
    session_.start(request(file_.url, 0, 0),
                   {.on_reply = [](const WebReply& reply) { return reply.status == 200; },
                    .on_bytes = [&](std::string_view bytes) { return take_whole(at, bytes); },
                    .on_done = [&](const WebReply& reply, const Error* failure) {
                      last = reply;
                      if (failure != nullptr) error = *failure;
                    }});
    there_ = 0;
    while (!last) {
      if (auto moved = session_.step(stop_); !moved) return moved;
    }
    if (failure_) return *failure_;
    if (error) return *error;
    if (last->status != 200) return status_error(*last, file_.url);
    if (at < asked_.bytes) {
      return Error{ErrorCode::Unavailable,
                   fmt::format("the file ends after {} of {} bytes", at, asked_.bytes), file_.url,
                   "call it again"};
    }
    return pieces_->mark_all();
  }

  bool take_whole(uint64_t& at, std::string_view bytes) {
    if (bytes.size() > asked_.bytes - at) {
      failure_ = contradiction("the server sends more than it said", file_.url);
      return false;
    }
    if (auto written = pieces_->write(at, bytes); !written) {
      failure_ = written.error();
      return false;
    }
    at += bytes.size();
    there_ = at;
    fetched_ += bytes.size();
    tell();
    return true;
  }

  WebSession& session_;
  const RangeDownload& file_;
  const StopFlag& stop_;
  const RangeProgress& progress_;
  Asked asked_;
  std::optional<PieceFile> pieces_;
  std::deque<Job> waiting_;
  int running_ = 0;
  int in_vain_ = 0;
  std::optional<WebReply> pause_;  // before anything else is started
  uint64_t there_ = 0;
  uint64_t fetched_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<RangeReport> download_ranges(WebSession& session, const RangeDownload& file,
                                    const StopFlag& stop, const RangeProgress& progress) {
  return RangeFetcher(session, file, stop, progress).run();
}

void discard_download(const std::filesystem::path& part) {
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  std::filesystem::remove(journal_of(part), ignored);
}

}  // namespace tinyarms::remote
