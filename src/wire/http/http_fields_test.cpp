// Field names, lists and what they mean to a gateway.
#include "wire/http/fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::http {
namespace {

TEST(HttpFields, AreKnownInAnyCaseAndLookAlikesAreTold) {
    struct Case {
        std::string_view name;
        FieldKind kind;
    };
    const Case cases[] = {
        {"Host", FieldKind::host},
        {"hOsT", FieldKind::host},
        {"CONTENT-LENGTH", FieldKind::content_length},
        {"transfer-encoding", FieldKind::transfer_encoding},
        {"Connection", FieldKind::connection},
        {"TE", FieldKind::hop_by_hop},
        {"Keep-Alive", FieldKind::hop_by_hop},
        {"HTTP2-Settings", FieldKind::hop_by_hop},
        {"Proxy", FieldKind::hop_by_hop},
        {"Proxy-Connection", FieldKind::hop_by_hop},
        {"proxy-authorization", FieldKind::hop_by_hop},
        {"Forwarded", FieldKind::forwarded},
        {"X-Forwarded-For", FieldKind::forwarded_for},
        {"X-Forwarded-Proto", FieldKind::forwarded_proto},
        {"X-Forwarded-Port", FieldKind::claim},
        {"X-Forwarded-A-Very-Long-Name-Indeed", FieldKind::claim},
        {"X-Real-IP", FieldKind::claim},
        {"X-Original-URL", FieldKind::claim},
        {"X_Forwarded_For", FieldKind::look_alike},
        {"x-forwarded_for", FieldKind::look_alike},
        {"X_Forwarded_A_Very_Long_Name_Indeed", FieldKind::look_alike},
        {"Content_Length", FieldKind::look_alike},
        {"Transfer_Encoding", FieldKind::look_alike},
        {"X_REAL_IP", FieldKind::look_alike},
        {"X-Cluster-Client_IP-And-More", FieldKind::other},
        {"Hos", FieldKind::other},
        {"Hosts", FieldKind::other},
        {"X-Forwarded", FieldKind::other},
        {"X_Custom", FieldKind::other},
        {"Cookie", FieldKind::other},
    };
    for (const Case& c : cases) EXPECT_EQ(kind_of(c.name), c.kind) << c.name;
}

TEST(HttpFields, ListsAreReadMemberByMember) {
    struct Case {
        std::string_view list;
        std::vector<std::string_view> members;
    };
    const Case cases[] = {
        {"", {}},
        {" , ,", {}},
        {"a", {"a"}},
        {" a ,b\t,, c ", {"a", "b", "c"}},
        {R"(a="x,y", b)", {R"(a="x,y")", "b"}},
        {R"("\",", b)", {R"("\",")", "b"}},
        {R"("open, b)", {R"("open, b)"}},
        {R"("open\)", {R"("open\)"}},
    };
    for (const Case& c : cases) {
        std::vector<std::string_view> members;
        for (std::string_view rest = c.list; const auto member = next_member(rest);) members.push_back(*member);
        EXPECT_EQ(members, c.members) << c.list;
    }
    EXPECT_TRUE(has_member("keep-alive, Upgrade", "upgrade"));
    EXPECT_FALSE(has_member("upgraded, xupgrade", "upgrade"));
}

TEST(HttpFields, AreFoundByNameAndByConnection) {
    FieldList fields;
    for (const auto& [name, value] :
         {std::pair("Connection", "close, X-A"), {"Accept", "1"}, {"connection", "x-b"}, {"accept", "2"}}) {
        fields.add({name, value, kind_of(name)});
    }
    ASSERT_NE(find(fields, "ACCEPT"), nullptr);
    EXPECT_EQ(find(fields, "ACCEPT")->value, "1");
    EXPECT_EQ(find(fields, "Accept-"), nullptr);
    EXPECT_TRUE(named_in_connection(fields, "x-a"));
    EXPECT_TRUE(named_in_connection(fields, "X-B"));
    EXPECT_FALSE(named_in_connection(fields, "accept"));
}

}  // namespace
}  // namespace sallyport::http
