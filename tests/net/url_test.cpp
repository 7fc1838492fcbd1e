#include "net/url.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::net {
namespace {

using testing::message_of;

TEST(Url, HasItsParts) {
  const Url url = parse_url("https://api.example.com/v1?x=1");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "api.example.com");
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.path, "/v1");
  EXPECT_TRUE(url.has_query);
  EXPECT_FALSE(url.has_user);
}

TEST(Url, IsShownWithoutSecrets) {
  EXPECT_EQ(parse_url("https://me:secret@api.example.com:8443/v1?key=secret#secret").shown(),
            "https://api.example.com:8443/v1");
  EXPECT_EQ(parse_url("http://127.0.0.1:8080").shown(), "http://127.0.0.1:8080");
  EXPECT_EQ(parse_url("http://host:80/").shown(), "http://host");
}

TEST(Url, KnowsThisMachine) {
  for (const char* url :
       {"http://localhost", "http://127.0.0.1:1", "http://127.1.2.3", "http://[::1]:80"}) {
    EXPECT_TRUE(parse_url(url).loopback()) << url;
  }
  for (const char* url : {"http://127.example.com", "http://10.0.0.1",
                          "http://localhost.example.com", "http://[::2]"}) {
    EXPECT_FALSE(parse_url(url).loopback()) << url;
  }
}

TEST(Url, RefusesWhatIsNoneWithoutShowingAPassword) {
  EXPECT_EQ(message_of<Error>([] { parse_url("ftp://me:secret@host/x"); }),
            "'…@host/x' is not an http or https URL; write it like http://127.0.0.1:8080");
  EXPECT_NE(message_of<Error>([] { parse_url("not a url"); }), "");
  EXPECT_NE(message_of<Error>([] { parse_url(""); }), "");
}

}  // namespace
}  // namespace selene::net
