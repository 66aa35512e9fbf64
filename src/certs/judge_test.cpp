#include "certs/judge.hpp"

#include "certs/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::certs;
using namespace std::chrono_literals;
using crypto::Verdict;
using sallyport::certs::testing::Folder;
using sallyport::certs::testing::now;

namespace {

// A root, an intermediate under it, a stranger, and clients of several kinds, made by openssl's own program.
class JudgeClient : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder = new Folder;
        authority("root", "");
        authority("ca", "-CA root.pem -CAkey root.key");
        authority("stranger", "");
        authority("impostor", "", "Test ca");
        issue("forged", "impostor", "authorityKeyIdentifier=none", "");
        issue("plain", "ca", "subjectAltName=DNS:device.example", "");
        issue("client", "ca", "extendedKeyUsage=clientAuth", "");
        issue("server", "ca", "extendedKeyUsage=serverAuth", "");
        issue("encipherment", "ca", "keyUsage=critical,keyEncipherment", "");
        issue("strange", "stranger", "extendedKeyUsage=clientAuth", "");
        issue("weak", "ca", "extendedKeyUsage=clientAuth", "-newkey rsa:1024");
        issue("sha1", "ca", "extendedKeyUsage=clientAuth", "", "-sha1");
        must("openssl req -x509 " + key("self", "") + " -subj /CN=self -days 30 -out self.pem");
        must("cat client.pem ca.pem > chain.pem; cat ca.pem client.pem > reversed.pem; cat server.pem ca.pem > s.pem");
        must("cat strange.pem stranger.pem > brings-its-own.pem; echo nothing > nothing.pem");
    }
    static void TearDownTestSuite() { delete folder; }

    static void must(const std::string& command) {
        const auto output = folder->run(command);
        ASSERT_EQ(output.status, 0) << command << '\n' << output.text;
    }
    static std::string key(const std::string& name, const std::string& kind) {
        const std::string made = kind.empty() ? "-newkey ec -pkeyopt ec_paramgen_curve:P-256" : kind;
        return made + " -nodes -keyout " + name + ".key";
    }
    static void authority(const std::string& name, const std::string& signer, const std::string& subject = "") {
        const std::string common_name = subject.empty() ? "Test " + name : subject;
        must("openssl req " + key(name, "") + " -subj '/CN=" + common_name + "' -out " + name + ".csr");
        must("printf 'basicConstraints=critical,CA:TRUE' > ca.ext");
        must("openssl x509 -req -in " + name + ".csr -days 30 -extfile ca.ext -out " + name + ".pem " +
             (signer.empty() ? "-signkey " + name + ".key" : signer));
    }
    static void issue(const std::string& name, const std::string& issuer, const std::string& extension,
                      const std::string& kind, const std::string& how = "") {
        must("openssl req " + key(name, kind) + " -subj '/O=Example, Inc./CN=" + name + "' -out " + name + ".csr");
        must("printf '" + extension + "' > leaf.ext");
        must("openssl x509 -req -in " + name + ".csr -CA " + issuer + ".pem -CAkey " + issuer +
             ".key -days 10 -extfile leaf.ext -out " + name + ".pem " + how);
    }

    static inline Folder* folder = nullptr;
};

}  // namespace

TEST_F(JudgeClient, AgreesWithOpensslVerify) {
    struct Case {
        const char* file;
        const char* trusted;
        std::chrono::hours later;
        Verdict verdict;
        const char* detail;
    };
    const char* const unknown = "unable to get local issuer certificate";
    const char* const expired = "certificate has expired";
    const char* const early = "certificate is not yet valid";
    const char* const purpose = "unsuitable certificate purpose";
    const Case cases[] = {
        {"plain.pem", "ca", 0h, Verdict::trusted, ""},  // an intermediate is an anchor by itself
        {"client.pem", "ca", 0h, Verdict::trusted, ""},
        {"client.pem", "root", 0h, Verdict::untrusted, unknown},
        {"chain.pem", "root", 0h, Verdict::trusted, ""},
        {"chain.pem", "root", 24h * 11, Verdict::expired, expired},
        {"chain.pem", "root", 24h * 31, Verdict::expired, expired},
        {"chain.pem", "root", -2h, Verdict::expired, early},
        {"chain.pem", "stranger", 0h, Verdict::untrusted, unknown},
        {"chain.pem", "stranger", 24h * 11, Verdict::untrusted, unknown},
        {"server.pem", "ca", 0h, Verdict::untrusted, purpose},
        {"s.pem", "root", 24h * 11, Verdict::untrusted, purpose},
        {"encipherment.pem", "ca", 0h, Verdict::untrusted, purpose},
        {"strange.pem", "ca", 0h, Verdict::untrusted, unknown},
        {"brings-its-own.pem", "ca", 0h, Verdict::untrusted, "self-signed certificate in certificate chain"},
        {"weak.pem", "ca", 0h, Verdict::untrusted, "EE certificate key too weak"},
        {"sha1.pem", "ca", 0h, Verdict::untrusted, "CA signature digest algorithm too weak"},
        {"self.pem", "self", 0h, Verdict::trusted, ""},
        {"self.pem", "ca", 0h, Verdict::untrusted, "self-signed certificate"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.file) + " by " + c.trusted + " in " + std::to_string(c.later.count()) + " hours");
        const std::string trusted = std::string(c.trusted) + ".pem";
        const WallTime at = now() + c.later;
        const auto judged = judge_client(folder->read(c.file), {folder->read(trusted)}, at);
        ASSERT_TRUE(judged.has_value()) << judged.error().message;
        EXPECT_EQ(judged->verdict, c.verdict);
        EXPECT_EQ(judged->detail, c.detail);
        const auto oracle = folder->run(
            "openssl verify -no-CApath -no-CAstore -partial_chain -purpose sslclient "
            "-auth_level 2 -attime " +
            std::to_string(std::chrono::system_clock::to_time_t(at)) + " -CAfile " + trusted + " -untrusted " + c.file +
            " " + c.file);
        EXPECT_EQ(oracle.status == 0, c.verdict == Verdict::trusted) << oracle.text;
        EXPECT_THAT(oracle.text, ::testing::HasSubstr(c.detail));
    }
}

// The authority's own date is the first fault that OpenSSL meets here, and says nothing about who signed.
TEST_F(JudgeClient, TakesNoForgeryForACertificateThatIsMerelyOld) {
    for (const auto later : {0h, 24h * 31}) {
        SCOPED_TRACE(later.count());
        const auto judged = judge_client(folder->read("forged.pem"), {folder->read("ca.pem")}, now() + later);
        ASSERT_TRUE(judged.has_value());
        EXPECT_EQ(judged->verdict, Verdict::untrusted);
        EXPECT_EQ(judged->detail, "certificate signature failure");
    }
}

TEST_F(JudgeClient, TellsTheWholeSubject) {
    const auto judged = judge_client(folder->read("client.pem"), {}, now());
    ASSERT_TRUE(judged.has_value());
    EXPECT_EQ(judged->subject, "CN=client,O=Example\\, Inc.");
    EXPECT_EQ(judged->verdict, Verdict::untrusted) << "nobody is trusted";
}

TEST_F(JudgeClient, SaysWhatCanNotBeRead) {
    const auto nothing = judge_client(folder->read("nothing.pem"), {}, now());
    ASSERT_FALSE(nothing.has_value());
    EXPECT_THAT(nothing.error().message, ::testing::StartsWith("the file holds no certificate in PEM form"));
    const auto no_trust = judge_client(folder->read("client.pem"), {"nothing"}, now());
    ASSERT_FALSE(no_trust.has_value());
    EXPECT_EQ(no_trust.error().message, "trusted CA: no certificate in PEM form");
}
