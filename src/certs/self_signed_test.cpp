#include "certs/self_signed.hpp"

#include "certs/load.hpp"
#include "certs/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace sallyport;
using namespace sallyport::certs;
using namespace std::chrono_literals;
using sallyport::certs::testing::Folder;
using sallyport::certs::testing::now;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

const std::vector<std::string> names{"hq.example.com", "*.example.com"};
const std::vector<IpAddress> addresses{*IpAddress::parse("127.0.0.1"), *IpAddress::parse("2001:db8::1")};

std::size_t files_in(const Folder& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

}  // namespace

TEST(SelfSigned, IsWhatOpensslTakesForAServersCertificate) {
    const auto made = self_signed(names, addresses, 30, now());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->dns_names, names);
    EXPECT_EQ(made->ip_names, addresses);

    const Folder folder;
    folder.write("cert.pem", made->chain_pem);
    folder.write("key.pem", made->key_pem);
    const std::string text = folder.run("openssl x509 -in cert.pem -noout -text").text;
    for (const char* part :
         {"Version: 3", "ecdsa-with-SHA256", "ASN1 OID: prime256v1", "CN = hq.example.com", "CA:FALSE",
          "TLS Web Server Authentication",
          "DNS:hq.example.com, DNS:*.example.com, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1"}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
    for (const char* host : {"hq.example.com", "branch.example.com"}) {
        const auto verified = folder.run(std::string("openssl verify -x509_strict -CAfile cert.pem -verify_hostname ") +
                                         host + " cert.pem");
        EXPECT_EQ(verified.status, 0) << verified.text;
    }
    EXPECT_NE(folder.run("openssl verify -CAfile cert.pem -verify_hostname other.example cert.pem").status, 0);
    EXPECT_EQ(folder.run("openssl x509 -in cert.pem -noout -checkend $((29 * 86400))").status, 0);
    EXPECT_NE(folder.run("openssl x509 -in cert.pem -noout -checkend $((31 * 86400))").status, 0);
    EXPECT_TRUE(load(folder / "cert.pem", folder / "key.pem", now()));
    EXPECT_NE(self_signed(names, addresses, 30, now())->key_pem, made->key_pem);
}

TEST(SelfSigned, RefusesNamesThatWouldWriteTheirOwnExtensions) {
    for (const char* bad : {"", "a,DNS:evil.example", "a\nb", "a b", "email:copy", "@section"}) {
        EXPECT_FALSE(self_signed({bad}, {}, 30, now())) << bad;
    }
    EXPECT_FALSE(self_signed({}, {}, 30, now()));
    EXPECT_FALSE(self_signed(names, {}, 0, now()));
    EXPECT_TRUE(self_signed({std::string(63, 'a') + ".example.com"}, {}, 30, now())) << "longer than a CN may be";
    EXPECT_TRUE(self_signed({}, addresses, 30, now()));
}

TEST(LoadOrCreate, MakesOneFileThatOnlyTheOwnerReadsAndKeepsIt) {
    const Folder folder;
    const auto first = load_or_create(folder.path(), names, addresses, now());
    ASSERT_TRUE(first) << first.error().message;
    struct stat status{};
    ASSERT_EQ(stat((folder / self_signed_file).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(files_in(folder), 1U) << "no temporary file is left";

    const auto again = load_or_create(folder.path(), names, addresses, now() + 24h * 300);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->not_after, first->not_after);
    EXPECT_EQ(again->key_pem, first->key_pem);
    EXPECT_EQ(again->chain_pem, first->chain_pem);
    EXPECT_EQ(folder.run(std::string("openssl x509 -noout -subject -in ") + self_signed_file).status, 0);
    EXPECT_TRUE(load(folder / self_signed_file, folder / self_signed_file, now()));
}

TEST(LoadOrCreate, MakesAnotherOneWhenExpiredOrWhenANameIsNew) {
    const Folder folder;
    const auto first = load_or_create(folder.path(), {"hq.example.com"}, {}, now());
    ASSERT_TRUE(first);
    const auto later = now() + 24h * 366;
    const auto renewed = load_or_create(folder.path(), {"hq.example.com"}, {}, later);
    ASSERT_TRUE(renewed) << renewed.error().message;
    EXPECT_GT(renewed->not_after, later + 24h * 300);
    const auto wider = load_or_create(folder.path(), {"hq.example.com", "*.example.com"}, addresses, later);
    ASSERT_TRUE(wider);
    EXPECT_THAT(wider->dns_names, ElementsAre("hq.example.com", "*.example.com"));
    const auto covered = load_or_create(folder.path(), {"HQ.example.com", "a.example.com"}, {}, later);
    ASSERT_TRUE(covered);
    EXPECT_EQ(covered->chain_pem, wider->chain_pem);
}

TEST(LoadOrCreate, NeverOverwritesWhatItDidNotMake) {
    const Folder folder;
    folder.write(self_signed_file, "precious");
    const auto refused = load_or_create(folder.path(), names, {}, now());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("remove the file to have a new one made"));
    EXPECT_EQ(folder.read(self_signed_file), "precious");
}

TEST(LoadOrCreate, SaysThatTheDirectoryIsMissing) {
    const Folder folder;
    const auto refused = load_or_create(folder / "missing", names, {}, now());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("missing/self-signed.pem: No such file or directory"));
}
