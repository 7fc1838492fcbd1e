#include "net/download.h"

#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "failing_writes.h"
#include "net/file_server.h"
#include "temporary_folder.h"

namespace selene::net {
namespace {

namespace fs = std::filesystem;
using testing::message_of;
using testing::slurp;

// Bytes that no repetition makes equal at two places.
std::string make_body(size_t size) {
  std::string body;
  for (size_t i = 0; body.size() < size; ++i) body += std::to_string(i) + ",";
  body.resize(size);
  return body;
}

class DownloadTest : public ::testing::Test {
 protected:
  DownloadOptions options(const std::string& path = "/file") {
    DownloadOptions options;
    options.url = server_.url(path);
    options.destination = folder_ / "file.bin";
    options.silent = true;
    options.attempts = 3;
    options.backoff = std::chrono::milliseconds(1);
    options.stall = std::chrono::seconds(1);
    return options;
  }

  // Serves body_ whole or by range, with an ETag.
  void serve(const std::string& etag = "\"one\"") {
    server_.get("/file", [this, etag](httplib::Request&, httplib::Response& response) {
      response.set_header("ETag", etag);
      response.set_content(body_, "application/octet-stream");
    });
  }

  // Leaves a part of `length` bytes as an interrupted download does: the server cuts each attempt
  // there.
  void leave_part(size_t length, const std::string& etag = "\"one\"") {
    server_.get("/cut", [=, this](httplib::Request&, httplib::Response& response) {
      response.set_header("ETag", etag);
      server_.cut_after(response, body_, length);
    });
    EXPECT_NE(error_of(options("/cut")), "");
    ASSERT_EQ(fs::file_size(part_), length);
    // The part is of another address so far: let it be one of /file.
    std::string identity = slurp(identity_);
    identity.replace(identity.find("/cut"), 4, "/file");
    folder_.file("file.bin.part.json", identity);
    server_.requests.clear();
  }

  std::string error_of(const DownloadOptions& download_options) {
    return message_of<Error>([&] { download(download_options); });
  }

  bool nothing_left() const { return !fs::exists(part_) && !fs::exists(identity_); }

  std::string header(size_t request, const char* name) const {
    return server_.requests.at(request).get_header_value(name);
  }

  std::string body_ = make_body(300'000);
  testing::TemporaryFolder folder_;
  testing::FileServer server_;
  fs::path part_ = folder_ / "file.bin.part";
  fs::path identity_ = folder_ / "file.bin.part.json";
};

TEST_F(DownloadTest, FetchesAFile) {
  serve();
  const Download result = download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  EXPECT_EQ(result.bytes, body_.size());
  EXPECT_EQ(result.sha256, sha256(body_));
  EXPECT_FALSE(result.verified);
  EXPECT_TRUE(nothing_left());
}

TEST_F(DownloadTest, FetchesAnEmptyFile) {
  body_.clear();
  serve();
  EXPECT_EQ(download(options()).bytes, 0u);
  EXPECT_TRUE(fs::exists(folder_ / "file.bin"));
}

TEST_F(DownloadTest, MakesTheFolder) {
  serve();
  DownloadOptions deep = options();
  deep.destination = folder_ / "a/b/file.bin";
  download(deep);
  EXPECT_EQ(slurp(folder_ / "a/b/file.bin"), body_);
}

TEST_F(DownloadTest, AcceptsTheRightChecksum) {
  serve();
  DownloadOptions checked = options();
  checked.sha256 = sha256(body_);
  EXPECT_TRUE(download(checked).verified);
}

TEST_F(DownloadTest, WrongChecksumNamesBothDigestsAndKeepsNothing) {
  serve();
  DownloadOptions checked = options();
  checked.sha256 = std::string(64, 'a');
  EXPECT_EQ(error_of(checked), server_.url("/file") + ": wrong checksum: expected " +
                                   std::string(64, 'a') + ", got " + sha256(body_) +
                                   "; nothing was kept; run the same command again");
  EXPECT_TRUE(nothing_left());
  EXPECT_FALSE(fs::exists(folder_ / "file.bin"));
}

TEST_F(DownloadTest, GoesOnWithAPart) {
  leave_part(100'000);
  serve();
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  ASSERT_EQ(server_.requests.size(), 1u);
  EXPECT_EQ(header(0, "Range"), "bytes=100000-");
  EXPECT_EQ(header(0, "If-Range"), "\"one\"");
  EXPECT_TRUE(nothing_left());
}

TEST_F(DownloadTest, DoesNotSendAWeakTagAsIfRange) {
  leave_part(100'000, "W/\"one\"");
  serve("W/\"one\"");
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  EXPECT_EQ(header(0, "Range"), "bytes=100000-");
  EXPECT_FALSE(server_.requests[0].has_header("If-Range"));
}

TEST_F(DownloadTest, BeginsAnewWhenTheServerIgnoresRange) {
  leave_part(100'000);
  server_.get("/file", [this](httplib::Request& request, httplib::Response& response) {
    request.ranges.clear();
    response.set_header("ETag", "\"one\"");
    response.set_content(body_, "application/octet-stream");
  });
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, BeginsAnewWhenTheTagChanged) {
  leave_part(100'000);
  body_ = "new" + body_;
  serve("\"two\"");  // This server does not know If-Range: it answers 206 of another file.
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  ASSERT_EQ(server_.requests.size(), 2u);
  EXPECT_FALSE(server_.requests[1].has_header("Range"));
}

TEST_F(DownloadTest, BeginsAnewWhenTheSizeChanged) {
  leave_part(100'000);
  body_ += "more";
  serve();
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, BeginsAnewWhenTheFileBecameShorterThanThePart) {
  leave_part(100'000);
  body_ = make_body(5'000);
  serve("\"two\"");
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, BeginsAnewWhenNothingIdentifiesThePart) {
  folder_.file("file.bin.part", "of unknown origin");
  serve();
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  EXPECT_FALSE(server_.requests[0].has_header("Range"));
}

TEST_F(DownloadTest, BeginsAnewWhenThePartsNoteIsDamaged) {
  leave_part(100'000);
  folder_.file("file.bin.part.json", "{\"url\": 1, ");
  serve();
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, TakesAPartThatIsWholeAlready) {
  leave_part(100'000);
  folder_.file("file.bin.part", body_);
  DownloadOptions checked = options();
  checked.sha256 = sha256(body_);
  download(checked);
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(DownloadTest, AFileThatAnotherProcessFetchesIsLeftAlone) {
  leave_part(100'000);
  serve();
  {
    const FileLock other(part_);
    EXPECT_EQ(error_of(options()),
              part_.string() +
                  ": another process is at work on it; wait until it ends, then run "
                  "the same command again");
    EXPECT_EQ(fs::file_size(part_), 100'000u);
  }
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, GoesOnAfterACutConnection) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("ETag", "\"one\"");
    server_.cut_after(response, body_, server_.requests.size() * 70'000);
  });
  EXPECT_EQ(download(options()).sha256, sha256(body_));
  EXPECT_EQ(server_.requests.size(), 5u);  // More than `attempts`: each brought something.
  EXPECT_EQ(header(1, "Range"), "bytes=70000-");
  EXPECT_EQ(header(4, "Range"), "bytes=280000-");
}

TEST_F(DownloadTest, GivesUpAfterAttemptsWithoutAByteAndKeepsThePart) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("ETag", "\"one\"");
    server_.cut_after(response, body_, 100'000);
  });
  const std::string message = error_of(options());
  EXPECT_NE(message.find("the connection was lost"), std::string::npos) << message;
  EXPECT_NE(message.find("0.1 MB of 0.3 MB are kept: run the same command again to go on"),
            std::string::npos)
      << message;
  EXPECT_EQ(server_.requests.size(), 3u);
  EXPECT_EQ(fs::file_size(part_), 100'000u);
}

TEST_F(DownloadTest, NotFoundSaysToCheckTheName) {
  EXPECT_EQ(error_of(options("/missing")),
            server_.url("/missing") + ": the server answers HTTP 404; check the name");
  EXPECT_FALSE(fs::exists(part_));
}

TEST_F(DownloadTest, ForbiddenSaysToSetTheToken) {
  server_.get("/file",
              [](httplib::Request&, httplib::Response& response) { response.status = 403; });
  DownloadOptions gated = options();
  gated.token_env = "HF_TOKEN";
  EXPECT_EQ(
      error_of(gated),
      server_.url("/file") +
          ": the server answers HTTP 403; check the name; if access needs permission, ask for it "
          "on the page of the repository and set HF_TOKEN to your token");
}

TEST_F(DownloadTest, SendsTheTokenToTheFirstHostOnly) {
  testing::ScopedEnvironment token("HF_TOKEN", "secret");
  testing::FileServer other;
  other.get("/blob", [this](httplib::Request&, httplib::Response& response) {
    response.set_content(body_, "application/octet-stream");
  });
  server_.get("/file", [&](httplib::Request&, httplib::Response& response) {
    response.set_redirect(server_.url("/moved"));
  });
  server_.get("/moved", [&](httplib::Request&, httplib::Response& response) {
    response.set_redirect(other.url("/blob"));
  });
  DownloadOptions gated = options();
  gated.token_env = "HF_TOKEN";
  download(gated);
  EXPECT_EQ(header(0, "Authorization"), "Bearer secret");
  EXPECT_EQ(header(1, "Authorization"), "Bearer secret");
  EXPECT_FALSE(other.requests.at(0).has_header("Authorization"));
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, TriesAgainAfterAServerError) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    if (server_.requests.size() < 3) {
      response.status = 500;
    } else {
      response.set_content(body_, "application/octet-stream");
    }
  });
  download(options());
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, GivesUpOnALastingServerError) {
  server_.get("/file",
              [](httplib::Request&, httplib::Response& response) { response.status = 503; });
  EXPECT_EQ(error_of(options()),
            server_.url("/file") + ": the server answers HTTP 503; nothing was fetched yet");
  EXPECT_EQ(server_.requests.size(), 3u);
}

// As Hugging Face does: the first answer redirects to the storage and says size and SHA-256 of what
// is there.
TEST_F(DownloadTest, ChecksTheDigestOfTheRedirectingServer) {
  std::string digest = sha256(body_);
  server_.get("/file", [&](httplib::Request&, httplib::Response& response) {
    response.set_header("X-Linked-Etag", "\"" + digest + "\"");
    response.set_header("X-Linked-Size", std::to_string(body_.size()));
    response.set_redirect(server_.url("/blob"));
  });
  server_.get("/blob", [this](httplib::Request&, httplib::Response& response) {
    response.set_content(body_, "application/octet-stream");
  });
  EXPECT_TRUE(download(options()).verified);

  digest = std::string(64, 'b');
  const std::string message = error_of(options());
  EXPECT_NE(message.find("expected " + digest + ", got " + sha256(body_)), std::string::npos)
      << message;
  EXPECT_TRUE(nothing_left());
}

TEST_F(DownloadTest, PrefersTheCallersDigest) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("X-Linked-Etag", "\"" + std::string(64, 'b') + "\"");
    response.set_content(body_, "application/octet-stream");
  });
  DownloadOptions checked = options();
  checked.sha256 = sha256(body_);
  EXPECT_TRUE(download(checked).verified);
}

TEST_F(DownloadTest, RefusesASizeOtherThanAnnounced) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("X-Linked-Size", "17");
    response.set_content(body_, "application/octet-stream");
  });
  EXPECT_EQ(
      error_of(options()),
      server_.url("/file") + ": the server announces 17 bytes and sends 300000; try again later");
}

TEST_F(DownloadTest, GivesUpOnAnEndlessRedirect) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_redirect(server_.url("/file"));
  });
  EXPECT_EQ(error_of(options()), server_.url("/file") + ": redirected more than 8 times");
}

TEST_F(DownloadTest, AStalledTransferFailsAndKeepsThePart) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("ETag", "\"one\"");
    server_.stall_after(response, body_, 100'000);
  });
  DownloadOptions once = options();
  once.attempts = 1;
  EXPECT_EQ(
      error_of(once),
      server_.url("/file") +
          ": no data for 1 s; 0.1 MB of 0.3 MB are kept: run the same command again to go on");
  EXPECT_EQ(fs::file_size(part_), 100'000u);
}

TEST_F(DownloadTest, InterruptKeepsThePartAndSaysHowToGoOn) {
  server_.get("/file", [this](httplib::Request&, httplib::Response& response) {
    response.set_header("ETag", "\"one\"");
    response.set_content_provider(
        body_.size(), "x/y", [this](size_t offset, size_t, httplib::DataSink& sink) {
          if (offset == 0) return sink.write(body_.data(), 100'000), true;
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          set_interrupted(true);
          for (int i = 0; i < 300 && !server_.stopping && sink.is_writable(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
          return false;
        });
  });
  DownloadOptions patient = options();
  patient.stall = std::chrono::seconds(30);
  const std::string message = error_of(patient);
  set_interrupted(false);
  EXPECT_EQ(message,
            server_.url("/file") +
                ": interrupted; 0.1 MB of 0.3 MB are kept: run the same command again to go on");
  EXPECT_EQ(fs::file_size(part_), 100'000u);
}

TEST_F(DownloadTest, AFailingWriteIsAnErrorAndKeepsWholeBytes) {
  serve();
  const std::string message = [&] {
    const testing::FailingWrites full(50'000);
    return error_of(options());
  }();
  EXPECT_EQ(message, part_.string() + ": cannot write: File too large");
  EXPECT_EQ(slurp(part_), body_.substr(0, fs::file_size(part_)));
  download(options());  // Goes on.
  EXPECT_EQ(slurp(folder_ / "file.bin"), body_);
}

TEST_F(DownloadTest, RefusesPlainHttpToOtherHosts) {
  DownloadOptions plain = options();
  for (const char* url :
       {"http://example.org/file", "ftp://127.0.0.1/file", "file:///etc/passwd"}) {
    plain.url = url;
    EXPECT_EQ(error_of(plain),
              std::string(url) + ": only https is fetched (http from this machine itself)");
  }
  plain.url = "http://127.evil.example/file";
  EXPECT_NE(error_of(plain).find("only https"), std::string::npos);
}

TEST_F(DownloadTest, RefusesARedirectToPlainHttp) {
  server_.get("/file", [](httplib::Request&, httplib::Response& response) {
    response.set_redirect("http://example.org/file");
  });
  EXPECT_EQ(error_of(options()),
            "http://example.org/file: only https is fetched (http from this machine itself)");
}

TEST_F(DownloadTest, RefusesACertificateThatNobodySigned) {
  testing::FileServer server = testing::FileServer::untrusted();
  server.get("/file", [](httplib::Request&, httplib::Response& response) {
    response.set_content("x", "x/y");
  });
  DownloadOptions secure = options();
  secure.url = server.url("/file");
  const std::string message = error_of(secure);
  EXPECT_TRUE(message.starts_with(secure.url + ": the server's certificate is not trusted: "))
      << message;
  EXPECT_TRUE(message.ends_with("; install ca-certificates, and check the clock and the proxy"))
      << message;
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(DownloadTest, RefusesWhatIsNoUrl) {
  DownloadOptions broken = options();
  broken.url = "http://";
  EXPECT_EQ(error_of(broken), "'http://' is not a URL");
}

TEST_F(DownloadTest, SaysWhenNobodyAnswers) {
  DownloadOptions nobody = options();
  nobody.url = "http://127.0.0.1:1/file";
  const std::string message = error_of(nobody);
  EXPECT_NE(message.find("the connection was lost: "), std::string::npos) << message;
  EXPECT_NE(message.find("nothing was fetched yet"), std::string::npos) << message;
}

TEST_F(DownloadTest, TextIsFetchedUpToALimit) {
  server_.get("/text", [](httplib::Request&, httplib::Response& response) {
    response.set_content("user_template: x\n", "text/plain");
  });
  EXPECT_EQ(fetch_text(server_.url("/text")), "user_template: x\n");
  EXPECT_EQ(message_of<Error>([&] { fetch_text(server_.url("/text"), 5); }),
            server_.url("/text") + ": larger than 5 bytes; is this the right address?");
  EXPECT_EQ(message_of<Error>([&] { fetch_text(server_.url("/none")); }),
            server_.url("/none") + ": the server answers HTTP 404; check the name");
}

}  // namespace
}  // namespace selene::net
