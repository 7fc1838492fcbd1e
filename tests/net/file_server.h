// A local HTTP server that serves one body in the ways that servers on the net do.
#pragma once

#include <httplib.h>
#include <openssl/x509.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace selene::testing {

class FileServer {
 public:
  FileServer() : FileServer(std::make_unique<httplib::Server>(), "http") {}

  // Over TLS, with a certificate that nobody has signed.
  static FileServer untrusted() {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    X509* certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* host = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    auto server = std::make_unique<httplib::SSLServer>(certificate, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return FileServer(std::move(server), "https");
  }

  FileServer(std::unique_ptr<httplib::Server> server, std::string scheme)
      : server_(std::move(server)), scheme_(std::move(scheme)) {
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }
  ~FileServer() {
    stopping = true;
    server_->stop();
    thread_.join();
  }

  std::string url(const std::string& path) const {
    return scheme_ + "://127.0.0.1:" + std::to_string(port_) + path;
  }

  // Adds a route; each request is counted and its headers kept.
  void get(const std::string& path,
           std::function<void(httplib::Request&, httplib::Response&)> answer) {
    server_->Get(path,
                 [this, answer](const httplib::Request& request, httplib::Response& response) {
                   requests.push_back(request);
                   answer(const_cast<httplib::Request&>(request),
                          response);  // So that an answer can ignore the range.
                 });
  }

  // Serves `length` bytes of `body`, then cuts the connection. httplib passes the range's begin as
  // offset.
  void cut_after(httplib::Response& response, const std::string& body, size_t length) {
    response.set_content_provider(body.size(), "application/octet-stream",
                                  [=](size_t offset, size_t, httplib::DataSink& sink) {
                                    if (offset >= length) return false;
                                    sink.write(body.data() + offset,
                                               std::min(length, body.size()) - offset);
                                    return true;
                                  });
  }

  // Serves `length` bytes of `body`, then nothing for as long as the client stays.
  void stall_after(httplib::Response& response, const std::string& body, size_t length) {
    response.set_content_provider(body.size(), "application/octet-stream",
                                  [=, this](size_t offset, size_t, httplib::DataSink& sink) {
                                    if (offset >= length) {
                                      for (int i = 0; i < 500 && !stopping && sink.is_writable();
                                           ++i) {
                                        std::this_thread::sleep_for(std::chrono::milliseconds(10));
                                      }
                                      return false;
                                    }
                                    sink.write(body.data() + offset, length - offset);
                                    return true;
                                  });
  }

  std::vector<httplib::Request> requests;
  std::atomic<bool> stopping = false;

 private:
  std::unique_ptr<httplib::Server> server_;
  std::string scheme_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace selene::testing
