// Every capture of tests/data/diagnosis, whose README says what is true of it: that is stated, and nothing more.
#include "diagnose/analysis.hpp"
#include "diagnose/report_html.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace sallyport::diagnose {
namespace {

Report report_of(const std::string& name) {
    Analysis analysis;
    const auto read = read_file(SALLYPORT_SOURCE_DIR "/tests/data/diagnosis/" + name, analysis, {});
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().message);
    return analysis.finish();
}

std::string say(const Finding& finding) {
    char lost[32];
    std::snprintf(lost, sizeof lost, "%.2f", finding.seconds_lost());
    return std::string(name(finding.severity)) + " " + std::string(finding.id) + " " +
           std::string(name(finding.confidence)) + " " + finding.client.to_string() + " " + finding.server.to_string() +
           " " + std::to_string(finding.port) + " " + lost;
}

TEST(DiagnoseCaptures, StateWhatIsTrueAndNothingMore) {
    struct Case {
        const char* file;
        std::vector<std::string> findings;
    };
    const std::string phone = "10.9.0.2 198.51.100.10 ";
    const Case cases[] = {
        {"seed003-drop-server.pcap", {"error syn-silent certain " + phone + "1935 20.02"}},
        {"seed003-drop-client.pcap", {"error syn-silent likely " + phone + "1935 20.02"}},
        {"seed003-drop-win10.pcap", {"error syn-silent certain " + phone + "1935 21.00"}},
        {"seed003-rst.pcap", {"info refused-rst certain " + phone + "1935 0.00"}},
        {"seed003-icmp.pcap", {"info icmp-reject certain " + phone + "1935 0.00"}},
        {"seed003-open-noservice.pcap", {"info refused-rst certain " + phone + "1935 0.00"}},
        {"seed003-icmp-lost-server.pcap", {"error icmp-not-honoured certain " + phone + "1935 20.02"}},
        {"seed003-icmp-ratelimited.pcap", {"error icmp-rate-limited likely " + phone + "1935 7.26"}},
        {"linux-syn-exponential-127s.pcap", {"error syn-silent likely 10.8.0.2 198.51.100.10 2001 64.54"}},
        {"ident-113-dropped-server.pcap",
         {"error syn-silent likely 198.51.100.10 10.9.0.2 113 10.01",
          "warning server-first-delay likely " + phone + "6667 10.03"}},
        {"ident-113-reset.pcap", {}},
        {"seed000-nat-random-outside.pcap", {"error nat-unstable likely 203.0.113.12 198.51.100.10 5223 0.00"}},
        {"seed000-nat-random-both.pcapng", {"error nat-unstable certain " + phone + "5223 0.00"}},
        {"seed000-nat-range-default-outside.pcap", {}},
        {"seed000-nat-sticky-outside.pcap", {}},
        {"seed000-nat-sticky-both.pcapng", {}},
        {"mtu-blackhole.pcap", {"error mtu-blackhole likely " + phone + "8081 7.22"}},
        {"mtu-pmtud-works.pcap", {"info pmtud-ok certain " + phone + "8081 0.00"}},
        {"halfopen-synack-lost-server.pcap", {"error synack-unacked certain " + phone + "443 7.15"}},
        {"asymmetric-oneway.pcap", {"info one-sided-capture certain " + phone + "0 0.00"}},
        {"dns-unanswered-then-second.pcap", {"error dns-unanswered certain " + phone + "53 5.00"}},
        {"rtp-oneway.pcap", {"error rtp-one-way certain " + phone + "17000 0.00"}},
        {"sip-rtp-oneway-nat-server.pcap",
         {"error sdp-private likely 203.0.113.11 198.51.100.10 16400 0.00",
          "error rtp-one-way certain 203.0.113.11 198.51.100.10 17000 0.00"}},
        {"stun-unanswered.pcap", {"error stun-unanswered certain " + phone + "3478 7.81"}},
        {"stun-symmetric-nat.pcap", {"warning nat-symmetric certain " + phone + "3478 0.00"}},
        {"stun-cone-nat.pcap", {"info nat-mapping certain " + phone + "3478 0.00"}},
        {"tls-clienthello-no-answer.pcap", {"error tls-no-serverhello certain " + phone + "8443 5.96"}},
        {"tls-alert-protocol-version.pcap", {"error tls-alert certain " + phone + "8446 0.00"}},
        {"tls12-ok.pcap", {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.file);
        std::vector<std::string> said;
        const Report report = report_of(c.file);
        for (const Finding& finding : report.findings) {
            said.push_back(say(finding));
            EXPECT_FALSE(finding.text.empty() || finding.why.empty() || finding.vantage.empty());
            const bool mends = finding.severity != Severity::error || !finding.fix.empty() || !finding.next.empty();
            EXPECT_TRUE(mends);
        }
        EXPECT_EQ(said, c.findings);
        EXPECT_TRUE(report.notes.empty());
    }
}

TEST(DiagnoseCaptures, TheDroppedPortIsToldWithScheduleFallbackAndRule) {
    const Report report = report_of("seed003-drop-server.pcap");
    ASSERT_EQ(report.findings.size(), 1U);
    const Finding& finding = report.findings.front();
    EXPECT_EQ(finding.packets, (std::vector<PacketNumber>{1, 2, 3, 4, 5}));
    EXPECT_EQ(finding.schedule, "exponential");
    ASSERT_TRUE(finding.fallback);
    EXPECT_EQ(finding.fallback->port, 443);
    EXPECT_NEAR(finding.fallback->after, 20.02, 0.01);
    EXPECT_EQ(finding.fix.nft, "nft insert rule inet filter input tcp dport 1935 reject with tcp reset");
    EXPECT_EQ(finding.fix.iptables, "iptables -I INPUT -p tcp --dport 1935 -j REJECT --reject-with tcp-reset");
    EXPECT_NE(conclusion(report).find("20.02 s"), std::string::npos);
}

TEST(DiagnoseCaptures, TheSameFilesTogetherMakeOneReport) {
    Analysis analysis;
    for (const char* name : {"seed003-drop-server.pcap", "seed003-drop-client.pcap", "tls12-ok.pcap"}) {
        ASSERT_TRUE(read_file(SALLYPORT_SOURCE_DIR "/tests/data/diagnosis/" + std::string(name), analysis, {}));
    }
    const Report report = analysis.finish();
    EXPECT_EQ(report.packets, 45U);
    ASSERT_EQ(report.findings.size(), 1U);  // once, and as sure as the better place makes it
    EXPECT_EQ(say(report.findings.front()), "error syn-silent certain 10.9.0.2 198.51.100.10 1935 20.02");
    EXPECT_TRUE(file_name(report, report.findings.front()).ends_with("drop-server.pcap"));
}

std::string contents_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// What is whole in the first bytes of a file.
Report report_of_beginning(Bytes file) {
    Analysis analysis;
    analysis.begin_file("beginning");
    pcap::Reader reader;
    pcap::Frame frame;
    for (;;) {
        const auto step = reader.next(file, frame);
        file = file.subspan(step.consumed);
        if (step.what == pcap::Step::What::frame) analysis.frame(frame);
        if (step.what == pcap::Step::What::need_more || step.what == pcap::Step::What::broken) return analysis.finish();
    }
}

TEST(DiagnoseCaptures, CutAtAnyByteGiveWhatTheyHoldAndNoFaultThatTheWholeHasNot) {
    // Beyond these come only more frames of the same kinds.
    constexpr std::size_t first_part = 600, last_part = 100;  // bytes
    for (const auto& entry : std::filesystem::directory_iterator(SALLYPORT_SOURCE_DIR "/tests/data/diagnosis")) {
        if (entry.path().extension() == ".md") continue;
        SCOPED_TRACE(entry.path().filename());
        const std::string file = contents_of(entry.path());
        const Report whole = report_of_beginning(as_bytes(file));
        std::uint64_t packets = 0;
        for (std::size_t size = 0; size <= file.size(); ++size) {
            if (size > first_part && size + last_part < file.size()) continue;
            const Report report = report_of_beginning(as_bytes(file).first(size));
            EXPECT_TRUE(report.packets >= packets && report.packets <= whole.packets);
            packets = report.packets;
            if (!whole.any_above_info()) EXPECT_FALSE(report.any_above_info()) << size << ": " << conclusion(report);
            EXPECT_FALSE(to_text(report).empty() || to_html(report).empty());
        }
        EXPECT_EQ(packets, whole.packets);
    }
}

}  // namespace
}  // namespace sallyport::diagnose
