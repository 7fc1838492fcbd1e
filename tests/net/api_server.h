// A local HTTP server that answers as a test says, also in the ways that servers fail.
#pragma once

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace selene::testing {

class ApiServer {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  ApiServer() {
    server_.new_task_queue = [] {
      return new httplib::ThreadPool(64);
    };  // A kept connection holds one.
    server_.set_keep_alive_max_count(1000);
    server_.set_keep_alive_timeout(1);
    server_.set_tcp_nodelay(true);
    int listening = -1;
    server_.set_socket_options([&](int socket) { listening = socket; });
    port_ = server_.bind_to_any_port("127.0.0.1");
    ::listen(listening, 128);  // httplib lets 5 wait, and the sixth that connects at once tries
                               // again a second later.
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~ApiServer() {
    stopping_ = true;
    server_.stop();
    thread_.join();
  }

  std::string url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  // Each request is kept.
  void get(const std::string& path, const Handler& handler) { server_.Get(path, keeping(handler)); }
  void post(const std::string& path, const Handler& handler) {
    server_.Post(path, keeping(handler));
  }

  std::vector<httplib::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // Half of a body of the promised length, then the connection is closed.
  void cut(httplib::Response& response) const {
    response.set_content_provider(1000, "application/json",
                                  [](size_t offset, size_t, httplib::DataSink& sink) {
                                    if (offset > 0) return false;
                                    const std::string half(500, '{');
                                    return sink.write(half.data(), half.size());
                                  });
  }
  // The headers, then nothing for as long as the client stays.
  void stall(httplib::Response& response) const {
    response.set_content_provider(
        1000, "application/json", [this](size_t, size_t, httplib::DataSink& sink) {
          for (int i = 0; i < 1000 && !stopping_ && sink.is_writable(); ++i) pause();
          return false;
        });
  }
  void endless(httplib::Response& response) const {
    response.set_chunked_content_provider(
        "application/json", [this](size_t, httplib::DataSink& sink) {
          const std::string part(64 << 10, ' ');
          return !stopping_ && sink.write(part.data(), part.size());
        });
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

 private:
  Handler keeping(const Handler& handler) {
    return [this, handler](const httplib::Request& request, httplib::Response& response) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      handler(request, response);
    };
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<httplib::Request> requests_;
};

// Listens on a port of this machine and answers every connection with the same bytes, whatever was
// asked.
class RawServer {
 public:
  explicit RawServer(std::string bytes)
      : bytes_(std::move(bytes)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    ::listen(socket_, 16);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~RawServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    for (int peer = ::accept(socket_, nullptr, nullptr); peer >= 0;
         peer = ::accept(socket_, nullptr, nullptr)) {
      char request[4096];
      if (::recv(peer, request, sizeof request, 0) > 0) {
        ::send(peer, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      }
      ::close(peer);
    }
  }
  std::string bytes_;
  int socket_;
  int port_ = 0;
  std::thread thread_;
};

// The address of a port of this machine where nobody listens.
inline std::string dead_url() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(socket);
  return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

}  // namespace selene::testing
