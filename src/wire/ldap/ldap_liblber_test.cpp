// Held against OpenLDAP's liblber: messages that it writes are read as it meant them, ours are read by it likewise, and
// bytes that both read must mean the same to both. Where we refuse what it reads, the class must stand in a list here,
// with its reason.
#include "wire/ldap/answer.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/extended.hpp"
#include "wire/ldap/message.hpp"
#include "wire/ldap/openldap_testing.hpp"

#include <gtest/gtest.h>
#include <ldap.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sallyport::ldap {
namespace {

using namespace sallyport::ldap::openldap;

std::string flattened(const Ber& element) {
    berval out{};
    EXPECT_EQ(ber_flatten2(element.get(), &out, 0), 0);
    return copy(out);
}

// A bind as both sides can tell it.
struct Bind {
    int id = 0;
    int version = 3;
    std::string name = {};
    bool sasl = false;
    std::string secret = {};  // password or mechanism
    bool has_credentials = false;

    bool operator==(const Bind&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Bind& bind) {
    return out << bind.id << " v" << bind.version << " '" << bind.name << "' " << (bind.sasl ? "sasl" : "simple")
               << " '" << bind.secret << "'" << bind.has_credentials;
}

constexpr ber_tag_t simple_tag = 0x80;
constexpr ber_tag_t sasl_tag = 0xA3;

// @param options  LBER_USE_DER: shortest lengths; 0: lengths of four octets around constructed elements.
std::string lber_write(const Bind& bind, int options) {
    const Ber out(ber_alloc_t(options));
    const berval name = view(bind.name), secret = view(bind.secret);
    int wrote = ber_printf(out.get(), "{it{iO", bind.id, ber_tag_t{op::bind_request}, bind.version, &name);
    if (!bind.sasl) {
        wrote |= ber_printf(out.get(), "tO", simple_tag, &secret);
    } else {
        wrote |= ber_printf(out.get(), "t{O", sasl_tag, &secret);
        if (bind.has_credentials) wrote |= ber_printf(out.get(), "o", "token", ber_len_t{5});
        wrote |= ber_printf(out.get(), "}");
    }
    wrote |= ber_printf(out.get(), "}}");
    EXPECT_GE(wrote, 0);
    return flattened(out);
}

// As slapd takes a bind apart.
std::optional<Bind> lber_read(std::string_view bytes) {
    const Ber in = reading(bytes);
    Bind bind;
    ber_len_t length = 0;
    if (ber_scanf(in.get(), "{i", &bind.id) == LBER_ERROR) return std::nullopt;
    if (ber_peek_tag(in.get(), &length) != op::bind_request) return std::nullopt;
    berval name{}, secret{};
    if (ber_scanf(in.get(), "{im", &bind.version, &name) == LBER_ERROR) return std::nullopt;
    const ber_tag_t method = ber_peek_tag(in.get(), &length);
    if (method != simple_tag && method != sasl_tag) return std::nullopt;
    bind.sasl = method == sasl_tag;
    if (ber_scanf(in.get(), bind.sasl ? "{m" : "m", &secret) == LBER_ERROR) return std::nullopt;
    bind.name = copy(name);
    bind.secret = copy(secret);
    bind.has_credentials = bind.sasl && ber_peek_tag(in.get(), &length) == LBER_OCTETSTRING;
    return bind;
}

// Nothing where this is no bind, with the reason.
std::optional<Bind> our_read(std::string_view bytes, std::string& reason) {
    MessageHead head;
    const auto result = read_message_head(as_bytes(bytes), Sender::client, head);
    if (result.state != MessageResult::State::complete) {
        reason = result.state == MessageResult::State::need_more ? "more" : text(result.error);
        return std::nullopt;
    }
    if (head.op != op::bind_request) return reason = "not a bind", std::nullopt;
    const auto request = read_bind_request(head.operation);
    if (!request) return reason = text(request.error()), std::nullopt;
    Bind bind{.id = head.id, .version = request->version, .name = std::string(request->name)};
    bind.sasl = request->kind == BindKind::sasl || !request->mechanism.empty();
    bind.secret = bind.sasl ? request->mechanism : as_text(request->password);
    bind.has_credentials = request->has_credentials;
    return bind;
}

Bind any_bind(Chance& chance) {
    constexpr int ids[] = {1, 127, 128, 255, 256, 65535, 65536, 2147483647};
    Bind bind{.id = ids[chance.below(std::size(ids))]};
    bind.name = chance.bytes(chance.one_in(4) ? 300 : 20);
    bind.sasl = chance.one_in(3);
    bind.secret = bind.sasl ? "GSSAPI" : chance.bytes(chance.one_in(4) ? 300 : 12);
    bind.has_credentials = bind.sasl && chance.one_in(2);
    return bind;
}

// One octet changed, added or taken away, with a taste for those that mean something.
void mutate(std::string& bytes, Chance& chance) {
    constexpr unsigned char telling[] = {0x00, 0x01, 0x02, 0x04, 0x0A, 0x24, 0x30, 0x60,
                                         0x7F, 0x80, 0x81, 0x82, 0x84, 0xA0, 0xA3, 0xFF};
    const std::size_t at = chance.below(std::min<std::size_t>(bytes.size(), 40));
    const char octet = static_cast<char>(telling[chance.below(std::size(telling))]);
    switch (chance.below(4)) {
        case 0: bytes[at] = octet; break;
        case 1: bytes[at] = static_cast<char>(bytes[at] + (chance.one_in(2) ? 1 : -1)); break;
        case 2: bytes.insert(at, 1, octet); break;
        default: bytes.erase(at, 1); break;
    }
}

}  // namespace

TEST(LdapBesideLiblber, ReadsItsBindsInBothFormsOfLengths) {
    Chance chance(20260);
    for (int turn = 0; turn < 4000; ++turn) {
        const Bind bind = any_bind(chance);
        for (const int options : {LBER_USE_DER, 0}) {
            std::string reason;
            const std::string bytes = lber_write(bind, options);
            const auto read = our_read(bytes, reason);
            ASSERT_TRUE(read) << reason << ": " << bind;
            ASSERT_EQ(*read, bind);
        }
    }
}

TEST(LdapBesideLiblber, MeansTheSameByEveryBindThatBothRead) {
    // What we refuse and liblber reads: it takes apart what is asked for and looks at nothing else.
    const std::map<std::string, const char*> ours_alone = {
        {"not an LDAP message", "the library enters any tag"},
        {"something behind the last element", "the library does not look there"},
        {"an element that is larger than what contains it",
         "the library holds a child to the message, not to its parent"},
        {"a message id outside 1 to 2147483647", "the library has no opinion of numbers"},
        {"a number that is out of range", "nor of versions"},
        {"an element that does not belong here", "the library reads a number or a string under any tag"},
        {"an OCTET STRING in pieces", "the library takes the pieces with their headers for the string"},
        {"an indefinite length", "in a part that the library does not reach"},
        {"a length of more than four octets", "likewise"},
        {"a tag number of more than one octet", "likewise"},
    };
    Chance chance(4511);
    int both = 0, changed = 0;
    std::set<std::string> seen;
    for (int turn = 0; turn < 60000; ++turn) {
        const Bind bind = any_bind(chance);
        std::string bytes = lber_write(bind, chance.one_in(2) ? LBER_USE_DER : 0);
        for (std::size_t left = 1 + chance.below(3); left > 0; --left) mutate(bytes, chance);
        std::string reason;
        const auto ours = our_read(bytes, reason);
        const auto theirs = lber_read(bytes);
        if (ours && theirs) {
            ASSERT_EQ(*ours, *theirs) << testing::PrintToString(bytes);
            ++both;
            changed += *ours != bind ? 1 : 0;
        } else if (theirs) {
            seen.insert(reason);
            ASSERT_TRUE(ours_alone.contains(reason)) << reason << ": " << testing::PrintToString(bytes);
        } else if (ours) {
            // An unknown choice of authentication is the only thing that we read and slapd's way of reading does not.
            MessageHead head;
            read_message_head(as_bytes(bytes), Sender::client, head);
            const auto request = read_bind_request(head.operation);
            ASSERT_TRUE(request->kind == BindKind::other || request->version != 3) << testing::PrintToString(bytes);
        }
    }
    for (const auto& [reason, why] : ours_alone)
        EXPECT_TRUE(seen.contains(reason)) << reason << " never occurs: " << why;
    EXPECT_GT(both, 1000) << "nothing was compared";
    EXPECT_GT(changed, 1000) << "no mutation changed a meaning";
}

TEST(LdapBesideLiblber, WritesAnswersThatItReads) {
    Chance chance(4513);
    for (int turn = 0; turn < 4000; ++turn) {
        const auto id = static_cast<int>(1 + chance.below(2147483647));
        const auto code = static_cast<int>(chance.below(chance.one_in(5) ? 70000 : 81));
        const std::string matched = chance.bytes(40), diagnostic = chance.bytes(200);
        AnswerRoom room;
        const LdapResult result{.code = code, .matched_dn = matched, .diagnostic = diagnostic};
        const bool start_tls = chance.one_in(2);
        const Bytes answer =
            start_tls ? write_start_tls_answer(room, id, result) : write_answer(room, op::search_request, id, result);
        const Ber in = reading(as_text(answer));
        int read_id = 0, read_code = 0;
        berval read_matched{}, read_diagnostic{}, oid{};
        ber_len_t length = 0;
        ASSERT_NE(ber_scanf(in.get(), "{i", &read_id), LBER_ERROR);
        ASSERT_EQ(ber_peek_tag(in.get(), &length), start_tls ? op::extended_response : op::search_done);
        ASSERT_NE(ber_scanf(in.get(), "{emm", &read_code, &read_matched, &read_diagnostic), LBER_ERROR);
        if (start_tls) {
            ASSERT_EQ(ber_peek_tag(in.get(), &length), LDAP_TAG_EXOP_RES_OID);
            ASSERT_NE(ber_scanf(in.get(), "m", &oid), LBER_ERROR);
            ASSERT_EQ(copy(oid), LDAP_EXOP_START_TLS);
        }
        ASSERT_NE(ber_scanf(in.get(), "}}"), LBER_ERROR);
        ASSERT_EQ(ber_peek_tag(in.get(), &length), LBER_DEFAULT) << "something is behind it";
        ASSERT_EQ(read_id, id);
        ASSERT_EQ(read_code, code);
        ASSERT_EQ(copy(read_matched), matched);
        ASSERT_EQ(copy(read_diagnostic), diagnostic);
    }
}

TEST(LdapBesideLiblber, ReadsItsResults) {
    Chance chance(4514);
    for (int turn = 0; turn < 4000; ++turn) {
        const auto code = static_cast<int>(chance.below(300));
        const std::string matched = chance.bytes(40), diagnostic = chance.bytes(200);
        const berval matched_view = view(matched), diagnostic_view = view(diagnostic);
        const Ber out(ber_alloc_t(chance.one_in(2) ? LBER_USE_DER : 0));
        ASSERT_GE(ber_printf(out.get(), "{it{eOOts}}", 7, ber_tag_t{op::extended_response}, code, &matched_view,
                             &diagnostic_view, LDAP_TAG_EXOP_RES_OID, LDAP_EXOP_START_TLS),
                  0);
        const std::string bytes = flattened(out);
        MessageHead head;
        ASSERT_EQ(read_message_head(as_bytes(bytes), Sender::server, head).state, MessageResult::State::complete);
        const auto response = read_extended_response(head.operation);
        ASSERT_TRUE(response);
        ASSERT_EQ(response->result.code, code);
        ASSERT_EQ(response->result.matched_dn, matched);
        ASSERT_EQ(response->result.diagnostic, diagnostic);
        ASSERT_TRUE(response->oid == start_tls_oid);
    }
}

TEST(LdapBesideLiblber, CodesHaveItsNumbers) {
    const std::map<int, std::string_view> names = {
        {LDAP_SUCCESS, "success"},
        {LDAP_OPERATIONS_ERROR, "operationsError"},
        {LDAP_PROTOCOL_ERROR, "protocolError"},
        {LDAP_AUTH_METHOD_NOT_SUPPORTED, "authMethodNotSupported"},
        {LDAP_STRONG_AUTH_REQUIRED, "strongerAuthRequired"},
        {LDAP_CONFIDENTIALITY_REQUIRED, "confidentialityRequired"},
        {LDAP_SASL_BIND_IN_PROGRESS, "saslBindInProgress"},
        {LDAP_NO_SUCH_OBJECT, "noSuchObject"},
        {LDAP_INVALID_DN_SYNTAX, "invalidDNSyntax"},
        {LDAP_INAPPROPRIATE_AUTH, "inappropriateAuthentication"},
        {LDAP_INVALID_CREDENTIALS, "invalidCredentials"},
        {LDAP_INSUFFICIENT_ACCESS, "insufficientAccessRights"},
        {LDAP_BUSY, "busy"},
        {LDAP_UNAVAILABLE, "unavailable"},
        {LDAP_UNWILLING_TO_PERFORM, "unwillingToPerform"},
        {LDAP_LOOP_DETECT, "loopDetect"},
        {LDAP_NAMING_VIOLATION, "namingViolation"},
        {LDAP_NO_OBJECT_CLASS_MODS, "objectClassModsProhibited"},
        {LDAP_AFFECTS_MULTIPLE_DSAS, "affectsMultipleDSAs"},
        {LDAP_OTHER, "other"},
    };
    for (const auto& [code, name] : names) EXPECT_EQ(result_name(code), name) << code;
}

}  // namespace sallyport::ldap
