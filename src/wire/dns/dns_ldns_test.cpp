// Another opinion: ldns (NLnet Labs). Messages that it writes are read as it meant them, our answers are read by it as
// we meant them, and of messages that were damaged none is read by us that it refuses.
#include "wire/dns/answer.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/testing.hpp"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <memory>
#include <random>

namespace sallyport::dns {
namespace {

struct Free {
    void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
    void operator()(char* text) const { LDNS_FREE(text); }
    void operator()(std::uint8_t* bytes) const { LDNS_FREE(bytes); }
};
using Packet = std::unique_ptr<ldns_pkt, Free>;

Packet ldns_read(Bytes message) {
    ldns_pkt* packet = nullptr;
    const auto status = ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
    return Packet(status == LDNS_STATUS_OK ? packet : nullptr);
}

std::string ldns_write(const ldns_pkt& packet) {
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    EXPECT_EQ(ldns_pkt2wire(&bytes, &packet, &size), LDNS_STATUS_OK);
    const std::unique_ptr<std::uint8_t, Free> owned(bytes);
    return {reinterpret_cast<const char*>(bytes), size};
}

std::string ldns_name(ldns_rdf* name) {
    const std::unique_ptr<char, Free> text(ldns_rdf2str(name));
    return text.get();
}

// A zone file's lines, as one answer, written and compressed by ldns.
std::string ldns_answer(const char* name, std::initializer_list<const char*> lines) {
    Packet packet(ldns_pkt_query_new(ldns_dname_new_frm_str(name), LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, LDNS_RD));
    ldns_pkt_set_qr(packet.get(), true);
    ldns_pkt_set_edns_udp_size(packet.get(), 1232);
    for (const char* line : lines) {
        ldns_rr* record = nullptr;
        EXPECT_EQ(ldns_rr_new_frm_str(&record, line, 0, nullptr, nullptr), LDNS_STATUS_OK) << line;
        ldns_pkt_push_rr(packet.get(), LDNS_SECTION_ANSWER, record);
    }
    return ldns_write(*packet);
}

const std::initializer_list<const char*> some_records = {
    "hq.example.com. 300 IN CNAME pbx.example.com.",
    "pbx.example.com. 60 IN A 192.0.2.7",
    "pbx.example.com. 61 IN AAAA 2001:db8::7",
    "example.com. 3600 IN SOA ns.example.com. hostmaster.example.com. 7 3600 1200 604800 300",
    "example.com. 3600 IN MX 10 mail.example.com.",
    "example.com. 3600 IN TXT \"count=50\" \"two\"",
    "_sip._tcp.example.com. 3600 IN SRV 0 5 5060 pbx.example.com.",
    "example.com. 3600 IN TYPE65280 \\# 3 ABCDEF",
};

TEST(DnsAgainstLdns, QueriesMeanTheSame) {
    for (const char* name : {"hq.example.com.", "HQ.Example.COM.", ".", "a\\.b.c.", "x\\000y.z."}) {
        Packet packet(ldns_pkt_query_new(ldns_dname_new_frm_str(name), LDNS_RR_TYPE_AAAA, LDNS_RR_CLASS_IN, LDNS_RD));
        ldns_pkt_set_id(packet.get(), 0xBEEF);
        ldns_pkt_set_edns_udp_size(packet.get(), 1400);
        ldns_pkt_set_edns_do(packet.get(), true);
        const std::string message = ldns_write(*packet);
        Query query;
        ASSERT_EQ(read_query(as_bytes(message), query), Received::query) << name;
        EXPECT_EQ(query.header.id, 0xBEEF);
        EXPECT_EQ(query.type, type::aaaa);
        EXPECT_EQ(query.edns->payload, 1400);
        EXPECT_TRUE(query.edns->dnssec_ok);
        const std::string read = Name::from_wire(query.name())->to_string();
        EXPECT_EQ(read == "." ? read : read + '.', name);
    }
}

TEST(DnsAgainstLdns, RecordsMeanTheSame) {
    const std::string message = ldns_answer("hq.example.com.", some_records);
    const auto response = read_response(as_bytes(message));
    ASSERT_TRUE(response);
    const Packet theirs = ldns_read(as_bytes(message));
    ASSERT_TRUE(theirs);
    RecordReader records(as_bytes(message), response->header, response->records_at());
    for (std::size_t i = 0; i < some_records.size(); ++i) {
        const auto record = records.next();
        ASSERT_TRUE(record);
        const ldns_rr* other = ldns_rr_list_rr(ldns_pkt_answer(theirs.get()), i);
        EXPECT_EQ(read_name(as_bytes(message), record->owner)->name.to_string() + '.', ldns_name(ldns_rr_owner(other)));
        EXPECT_EQ(record->type, ldns_rr_get_type(other));
        EXPECT_EQ(record->ttl, ldns_rr_ttl(other));
        if (record->type == type::cname) {
            EXPECT_EQ(read_name(as_bytes(message), record->rdata)->name.to_string() + '.',
                      ldns_name(ldns_rr_rdf(other, 0)));
        }
    }
    EXPECT_EQ(records.next()->type, type::opt);
    EXPECT_FALSE(records.next());
    EXPECT_TRUE(records.ok());
}

TEST(DnsAgainstLdns, OurAnswersAreReadAsTheyWereMeant) {
    const std::string asked = testing::query({.name = "HQ.example.com", .edns = true});
    Query query;
    ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 512> room;
    AnswerWriter writer(room, Asked::of(query), 3, flag::authoritative);
    writer.answer(type::a, 30, as_bytes(testing::octets("0A010203")));
    writer.start_of_authority(77);
    const Packet packet = ldns_read(writer.finish(ExtendedError::filtered));
    ASSERT_TRUE(packet);
    EXPECT_EQ(ldns_pkt_get_rcode(packet.get()), LDNS_RCODE_NXDOMAIN);
    EXPECT_TRUE(ldns_pkt_aa(packet.get()) && ldns_pkt_ra(packet.get()) && ldns_pkt_rd(packet.get()));
    EXPECT_TRUE(ldns_pkt_edns(packet.get()));
    const std::unique_ptr<char, Free> a(ldns_rr2str(ldns_rr_list_rr(ldns_pkt_answer(packet.get()), 0)));
    EXPECT_STREQ(a.get(), "HQ.example.com.\t30\tIN\tA\t10.1.2.3\n");
    const std::unique_ptr<char, Free> soa(ldns_rr2str(ldns_rr_list_rr(ldns_pkt_authority(packet.get()), 0)));
    EXPECT_STREQ(soa.get(),
                 "HQ.example.com.\t77\tIN\tSOA\tHQ.example.com. hostmaster.HQ.example.com. 1 3600 1200 604800 77\n");
}

TEST(DnsAgainstLdns, OurAuthorityIsReadHoweverLongTheNameIs) {
    for (std::size_t last = 40; last <= 61; ++last) {
        const std::string label(63, 'x');
        const std::string name = label + '.' + label + '.' + label + '.' + std::string(last, 'y');
        Query query;
        const std::string asked = testing::query({.name = name});
        ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
        std::array<std::byte, 512> room;
        AnswerWriter writer(room, Asked::of(query), 0, flag::authoritative);
        writer.start_of_authority(77);
        const Packet packet = ldns_read(writer.finish());
        ASSERT_TRUE(packet) << query.name().size() << " octets";
        const ldns_rr* soa = ldns_rr_list_rr(ldns_pkt_authority(packet.get()), 0);
        EXPECT_EQ(ldns_name(ldns_rr_rdf(soa, 1)), (query.name().size() <= 244 ? "hostmaster." : "") + name + '.');
    }
}

// ldns takes what stands behind a message for nothing, and looks into rdata, which is none of our business; what we
// read must be whole for it in every other respect.
TEST(DnsAgainstLdns, DamagedMessagesAreReadByUsOnlyWhereItReadsThemToo) {
    const std::string good = ldns_answer("hq.example.com.", {*some_records.begin(), *(some_records.begin() + 1),
                                                             "example.com. 60 IN TYPE65280 \\# 3 ABCDEF"});
    std::mt19937 random(20260301);
    int read_by_both = 0, refused_by_both = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string message = good;
        for (int flips = 0; flips < 2; ++flips)
            message[header_size + random() % (message.size() - header_size)] = static_cast<char>(random());
        if (random() % 4 == 0) message.resize(random() % message.size());
        const auto ours = read_response(as_bytes(message));
        const Packet theirs = ldns_read(as_bytes(message));
        if (!theirs && ours) {
            // Names that only ldns follows: into rdata, or by a pointer to nowhere.
            RecordReader records(as_bytes(message), ours->header, ours->records_at());
            bool names = true;
            while (const auto record = records.next()) {
                names = names && read_name(as_bytes(message), record->owner);
                if (record->type != 65280 && record->type != type::opt) names = false;
            }
            EXPECT_FALSE(names) << "message " << i;
        }
        read_by_both += theirs && ours ? 1 : 0;
        refused_by_both += !theirs && !ours ? 1 : 0;
    }
    EXPECT_GT(read_by_both, 1000);
    EXPECT_GT(refused_by_both, 1000);
}

}  // namespace
}  // namespace sallyport::dns
