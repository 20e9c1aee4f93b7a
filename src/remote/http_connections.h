// Connections that outlive their call, so that the next one to the same server opens none: no TCP
// and no TLS handshake. Thread-safe; a call has what it takes to itself. libcurl looks whether a
// kept connection still lives, and whether bytes came on it that nobody asked for: then it opens
// another.
#pragma once

#include <curl/curl.h>

#include <mutex>
#include <vector>

namespace tinyarms::remote {

struct CurlLibrary;

class HttpConnections {
 public:
  HttpConnections() = default;
  ~HttpConnections();
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;

  // Null where none is idle.
  CURLM* take();
  // After a reply that came whole.
  void give_back(const CurlLibrary& library, CURLM* connections);

 private:
  std::mutex mutex_;
  const CurlLibrary* library_ = nullptr;
  std::vector<CURLM*> idle_;
};

}  // namespace tinyarms::remote
