// Which names of fields are known, in whatever case and wherever they end.
#include "wire/sip/fields.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::sip {
namespace {

// RFC 3261 section 20, and the RFCs that fields.hpp names.
constexpr std::pair<std::string_view, FieldKind> names[] = {
    {"Via", FieldKind::via},
    {"From", FieldKind::from},
    {"To", FieldKind::to},
    {"Call-ID", FieldKind::call_id},
    {"CSeq", FieldKind::cseq},
    {"Contact", FieldKind::contact},
    {"Max-Forwards", FieldKind::max_forwards},
    {"Route", FieldKind::route},
    {"Record-Route", FieldKind::record_route},
    {"Content-Length", FieldKind::content_length},
    {"Content-Type", FieldKind::content_type},
    {"Content-Encoding", FieldKind::content_encoding},
    {"Supported", FieldKind::supported},
    {"Subject", FieldKind::subject},
    {"Allow-Events", FieldKind::allow_events},
    {"Event", FieldKind::event},
    {"Refer-To", FieldKind::refer_to},
    {"Referred-By", FieldKind::referred_by},
    {"Session-Expires", FieldKind::session_expires},
    {"Authorization", FieldKind::authorization},
    {"Proxy-Authorization", FieldKind::proxy_authorization},
    {"WWW-Authenticate", FieldKind::www_authenticate},
    {"Proxy-Authenticate", FieldKind::proxy_authenticate},
    {"Expires", FieldKind::expires},
    {"v", FieldKind::via},
    {"F", FieldKind::from},
    {"i", FieldKind::call_id},
};

// Alone, and with a value behind it: both ways to look give one answer.
FieldKind kind(const std::string& name) {
    const FieldKind alone = kind_of(name);
    EXPECT_EQ(kind_at_front(name, name.size()), alone) << name;
    EXPECT_EQ(kind_at_front(name + ": something of some length", name.size()), alone) << name;
    return alone;
}

TEST(SipFieldNames, AreKnownInAnyCase) {
    for (const auto& [name, expected] : names) {
        std::string upper(name);
        std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
        for (const std::string& spelling : {std::string(name), to_lower(name), upper}) {
            EXPECT_EQ(kind(spelling), expected) << spelling;
        }
    }
}

TEST(SipFieldNames, AreKnownWholeOnly) {
    for (const auto& [name, expected] : names) {
        if (name.size() == 1) continue;
        EXPECT_EQ(kind(std::string(name) + 's'), FieldKind::other) << name;
        if (name.size() > 2) EXPECT_EQ(kind(std::string(name.substr(1))), FieldKind::other) << name;
        EXPECT_EQ(kind(std::string(name.substr(0, name.size() - 1)) + "\xC3"), FieldKind::other) << name;
    }
    for (const std::string nothing : {"", "-", "1", "User-Agent", "P-Asserted-Identity-Of-Somebody"}) {
        EXPECT_EQ(kind(nothing), FieldKind::other) << nothing;
    }
}

// No other byte at any place is taken for the one of a known name.
TEST(SipFieldNames, DifferByEachByte) {
    for (const auto& [name, expected] : names) {
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (unsigned byte = 0; byte < 256; ++byte) {
                std::string other(name);
                other[at] = static_cast<char>(byte);
                if (name.size() == 1 || equals_ignoring_case(other, name)) continue;
                EXPECT_EQ(kind(other), FieldKind::other) << other;
            }
        }
    }
}

}  // namespace
}  // namespace sallyport::sip
