#include "certs/load.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::certs;
using namespace std::chrono_literals;
using sallyport::certs::testing::Folder;
using sallyport::certs::testing::now;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace {

constexpr const char* ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

// A root, an intermediate and server certificates of several kinds, made by openssl's own program once for all tests.
class Load : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder = new Folder;
        const std::string make_ec = ec;
        must("openssl req -x509 " + make_ec + " -keyout root.key -out root.pem -days 3650 -subj '/CN=Test Root'");
        must("openssl req " + make_ec + " -keyout ca.key -out ca.csr -subj '/CN=Test Issuer'");
        must("printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign' > ca.ext");
        must("openssl x509 -req -in ca.csr -CA root.pem -CAkey root.key -days 1000 -extfile ca.ext -out ca.pem");
        must("printf 'subjectAltName=DNS:HQ.example.com,DNS:*.apps.example.com,IP:192.0.2.1,IP:2001:db8::1' > san.ext");
        issue("edge", ec, "-extfile san.ext -days 90");
        issue("old", ec, "-extfile san.ext -days 30");
        issue("rsa2048", "-newkey rsa:2048 -nodes", "-days 90");
        issue("rsa1024", "-newkey rsa:1024 -nodes", "-days 90");
        issue("p192", "-newkey ec -pkeyopt ec_paramgen_curve:prime192v1 -nodes", "-days 90");
        issue("ed25519", "-newkey ed25519 -nodes", "-days 90");
        issue("sha1", ec, "-days 90 -sha1");
        must(
            "cat edge.pem ca.pem > chain.pem; cat edge.pem ca.pem root.pem > whole.pem; cat edge.pem root.pem > "
            "gap.pem");
        must(
            "cat ca.pem edge.pem > reversed.pem; cat edge.pem edge.pem ca.pem > twice.pem; cat edge.key chain.pem > "
            "one.pem");
        must(
            "openssl pkey -in edge.key -aes128 -passout pass:x -out locked.key; openssl x509 -in edge.pem -outform DER "
            "-out edge.der");
        must(
            "sed 's/^M/!/' edge.pem > broken.pem; (echo some text first; cat chain.pem) > commented.pem; : > "
            "empty.pem");
        must("(cat edge.pem; sed 's/^M/!/' ca.pem) > half.pem; head -c 1048577 /dev/zero > huge.pem");
    }
    static void TearDownTestSuite() { delete folder; }

    static void must(const std::string& command) {
        const auto output = folder->run(command);
        ASSERT_EQ(output.status, 0) << command << '\n' << output.text;
    }
    static void issue(const std::string& name, const std::string& key, const std::string& options) {
        must("openssl req " + key + " -keyout " + name + ".key -out " + name + ".csr -subj /CN=" + name +
             ".example.com");
        must("openssl x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -out " + name + ".pem " + options);
    }
    static auto load(const char* chain, const char* key, WallTime at = now()) {
        return certs::load(*folder / chain, *folder / key, at);
    }

    static inline Folder* folder = nullptr;
};

crypto::Credential with_names(std::vector<std::string> names, std::vector<IpAddress> ips = {}) {
    crypto::Credential credential;
    credential.dns_names = std::move(names);
    credential.ip_names = std::move(ips);
    return credential;
}

}  // namespace

TEST_F(Load, ReadsAChainWithItsNamesAndValidity) {
    const auto credential = load("chain.pem", "edge.key");
    ASSERT_TRUE(credential) << credential.error().message;
    EXPECT_EQ(credential->chain_pem, folder->read("chain.pem"));
    EXPECT_EQ(credential->key_pem, folder->read("edge.key"));
    EXPECT_THAT(credential->dns_names, ElementsAre("hq.example.com", "*.apps.example.com"));
    EXPECT_THAT(credential->ip_names, ElementsAre(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")));
    EXPECT_EQ(credential->not_after - credential->not_before, 24h * 90);
    EXPECT_LE(credential->not_before, now());
}

TEST_F(Load, TakesEverySoundForm) {
    struct Case {
        const char* chain;
        const char* key;
    };
    for (const Case& c : {Case{"whole.pem", "edge.key"},
                          {"edge.pem", "edge.key"},
                          {"one.pem", "one.pem"},
                          {"commented.pem", "edge.key"},
                          {"rsa2048.pem", "rsa2048.key"},
                          {"ed25519.pem", "ed25519.key"},
                          {"root.pem", "root.key"}}) {
        const auto credential = load(c.chain, c.key);
        EXPECT_TRUE(credential) << c.chain << ": " << credential.error().message;
    }
}

TEST_F(Load, KeepsTheKeyOutOfTheChainWhenOneFileHoldsBoth) {
    const auto credential = load("one.pem", "one.pem");
    ASSERT_TRUE(credential);
    EXPECT_EQ(credential->chain_pem, folder->read("chain.pem"));
    EXPECT_EQ(credential->key_pem, folder->read("edge.key"));
}

TEST_F(Load, TakesTheCommonNameOnlyWithoutOtherNames) {
    EXPECT_THAT(load("rsa2048.pem", "rsa2048.key")->dns_names, ElementsAre("rsa2048.example.com"));
}

TEST_F(Load, SaysWhichFileIsAtFaultAndWhatToDo) {
    struct Case {
        const char* chain;
        const char* key;
        const char* file;
        const char* text;
    };
    const Case cases[] = {
        {"missing.pem", "edge.key", "missing.pem", "No such file"},
        {"chain.pem", "missing.key", "missing.key", "No such file"},
        {".", "edge.key", "cannot read", "is it a file?"},
        {"huge.pem", "edge.key", "huge.pem", "larger than 1 MiB"},
        {"empty.pem", "edge.key", "empty.pem", "holds no certificate in PEM form"},
        {"edge.der", "edge.key", "edge.der", "openssl x509 -inform DER"},
        {"edge.key", "edge.key", "edge.key", "holds no certificate"},
        {"broken.pem", "edge.key", "broken.pem", "certificate 1 can't be read"},
        {"half.pem", "edge.key", "half.pem", "certificate 2 can't be read"},
        {"chain.pem", "edge.pem", "edge.pem", "holds no private key"},
        {"chain.pem", "locked.key", "locked.key", "encrypted"},
        {"chain.pem", "rsa2048.key", "rsa2048.key", "is not the key of 'edge.example.com'"},
        {"reversed.pem", "edge.key", "reversed.pem", "server's own certificate must stand first"},
        {"gap.pem", "edge.key", "gap.pem",
         "certificate 2, 'Test Root', did not issue certificate 1, 'edge.example.com'"},
        {"twice.pem", "edge.key", "twice.pem", "stands in the chain twice"},
        {"rsa1024.pem", "rsa1024.key", "rsa1024.key", "1024 bits"},
        {"p192.pem", "p192.key", "p192.key", "192 bits"},
        {"sha1.pem", "sha1.key", "sha1.pem", "weak hash"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto credential = load(c.chain, c.key);
        ASSERT_FALSE(credential);
        EXPECT_THAT(credential.error().message, AllOf(HasSubstr(c.file), HasSubstr(c.text)));
    }
}

TEST_F(Load, NamesTheDayOnWhichACertificateExpired) {
    const auto day =
        folder->run("date -u -d \"$(openssl x509 -in old.pem -noout -enddate | cut -d= -f2)\" +%F").text.substr(0, 10);
    ASSERT_TRUE(load("old.pem", "old.key", now() + 24h * 29));
    const auto expired = load("old.pem", "old.key", now() + 24h * 31);
    ASSERT_FALSE(expired);
    EXPECT_THAT(expired.error().message, AllOf(HasSubstr("old.pem"), HasSubstr("expired on " + day)));
    const auto early = load("old.pem", "old.key", now() - 24h);
    ASSERT_FALSE(early);
    EXPECT_THAT(early.error().message, HasSubstr("not valid before"));
}

TEST_F(Load, TrustListGivesEachAuthorityByItself) {
    folder->run("cat ca.pem root.pem > bundle.pem");
    const auto pems = load_ca_pems({*folder / "bundle.pem", *folder / "root.pem"}, now());
    ASSERT_TRUE(pems) << pems.error().message;
    EXPECT_THAT(*pems, ElementsAre(folder->read("ca.pem"), folder->read("root.pem"), folder->read("root.pem")));

    EXPECT_THAT(*load_ca_pems({*folder / "bundle.pem"}, now() + 24h * 2000), SizeIs(1)) << "an expired one is left out";
    EXPECT_THAT(load_ca_pems({*folder / "ca.pem"}, now() + 24h * 2000).error().message,
                HasSubstr("'Test Issuer' expired on"));
    EXPECT_THAT(load_ca_pems({*folder / "edge.pem"}, now()).error().message, HasSubstr("not of an authority"));
    EXPECT_THAT(load_ca_pems({*folder / "missing.pem"}, now()).error().message, HasSubstr("missing.pem"));
    EXPECT_THAT(*load_ca_pems({}, now()), SizeIs(0));
}

// The openssl program is asked the same. It leaves a trailing dot to its caller; the rest must agree.
TEST_F(Load, CoversWhatOpensslCovers) {
    struct Case {
        const char* name;
        bool covered;
    };
    const Case cases[] = {
        {"hq.example.com", true},       {"HQ.EXAMPLE.COM", true},        {"example.com", false},
        {"xhq.example.com", false},     {"a.apps.example.com", true},    {"A.Apps.example.com", true},
        {"apps.example.com", false},    {"a.b.apps.example.com", false}, {"edge.example.com", false},
        {"hq.example.com.evil", false},
    };
    const auto credential = load("edge.pem", "edge.key");
    ASSERT_TRUE(credential);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(covers(*credential, c.name), c.covered);
        const auto judge =
            folder->run(std::string("openssl x509 -in edge.pem -noout -checkhost '") + c.name + "'").text;
        EXPECT_EQ(judge.find("does match") != std::string::npos, c.covered) << judge;
    }
    for (const char* address : {"192.0.2.1", "2001:db8::1", "2001:DB8:0::1", "192.0.2.2", "::"}) {
        const auto judge = folder->run(std::string("openssl x509 -in edge.pem -noout -checkip ") + address).text;
        EXPECT_EQ(covers(*credential, address), judge.find("does match") != std::string::npos) << address << judge;
    }
}

TEST(Covers, HoldsWildcardsToOneWholeLabel) {
    EXPECT_TRUE(covers(with_names({"*.example.com"}), "a.example.com."));
    EXPECT_FALSE(covers(with_names({"*.com"}), "example.com"));
    EXPECT_FALSE(covers(with_names({"*"}), "example"));
    EXPECT_FALSE(covers(with_names({"*.*.example.com"}), "a.b.example.com"));
    EXPECT_FALSE(covers(with_names({"w*.example.com"}), "www.example.com"));
    EXPECT_FALSE(covers(with_names({"*.example.com"}), ""));
    EXPECT_FALSE(covers(with_names({"*.example.com"}), ".example.com"));
    EXPECT_FALSE(covers(with_names({"*.0.2.1"}), "192.0.2.1"));
    EXPECT_FALSE(covers(with_names({"192.0.2.1"}), "192.0.2.1")) << "an address is an address name, not a host name";
    EXPECT_FALSE(covers(with_names({}), "example.com"));
}

TEST_F(Load, CutsAValidityWithoutEndToTheLastTimeThereIs) {
    must("openssl x509 -req -in edge.csr -CA ca.pem -CAkey ca.key -out never.pem -days 2900000");
    const auto credential = load("never.pem", "edge.key");
    ASSERT_TRUE(credential) << credential.error().message;
    EXPECT_GT(credential->not_after, now() + 24h * 365 * 200);
}
