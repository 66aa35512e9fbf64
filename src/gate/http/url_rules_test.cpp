// The two rules for URLs, the paths that get around such rules elsewhere, and the presets.
#include "gate/http/url_rules.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace sallyport::gate::http {
namespace {

TEST(UrlRules, MatchTheHeadAndNothingBelowARuleThatEndsInASlash) {
    struct Case {
        std::vector<std::string> rules;
        std::string_view path;
        int rule;  // -1: none
    };
    const Case cases[] = {
        {{"/PBX0/MY"}, "/PBX0/MY", 0},
        {{"/PBX0/MY"}, "/PBX0/MYX", 0},
        {{"/PBX0/MY"}, "/PBX0/MY/a/b", 0},
        {{"/PBX0/MY"}, "/PBX0/M", -1},
        {{"/PBX0/MY"}, "/pbx0/my", -1},
        {{"/PBX0/MY"}, "/x/PBX0/MY", -1},
        {{"/PBX0/MY"}, "/PBX0/%4dY", -1},
        {{"/apps/"}, "/apps/", 0},
        {{"/apps/"}, "/apps/a", 0},
        {{"/apps/"}, "/apps", -1},
        {{"/apps/"}, "/apps//", -1},
        {{"/apps/"}, "/apps/a/", -1},
        {{"/apps/"}, "/apps/a/b", -1},
        {{"/"}, "/", 0},
        {{"/"}, "/a", 0},
        {{"/"}, "/a/b", -1},
        {{"/a/", "/b", "/a/b/"}, "/a/b/c", 2},  // the first to match does not admit, the third does
        {{"/a/", "/a"}, "/a/b/c", 1},
        {{}, "/", -1},
    };
    for (const Case& c : cases) {
        const auto rule = admitting_rule(c.rules, c.path);
        EXPECT_EQ(rule ? static_cast<int>(*rule) : -1, c.rule) << c.path;
    }
}

TEST(UrlRules, RefusePathsThatATargetCouldReadInAnotherWay) {
    constexpr std::string_view ambiguous[] = {
        "/..",
        "/.",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/PBX0/MY/../ADMIN",
        "/PBX0/MY/%2e%2e/ADMIN",
        "/PBX0/MY/%2E./ADMIN",
        "/PBX0/MY/.%2e/ADMIN",
        "/a/%2e",
        "/a/...",
        "/a/..%20/b",
        "/a/..;/b",
        "/a/..;x=y/b",
        "/a/%2e%2e%3b/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%5Cb",
        "/a\\b",
        "/a/..\\b",
        "//",
        "//a",
        "/a//b",
        "/a//",
        "/a/;x/b",
        "/a%00",
        "/a%0d%0a",
        "/a%1f",
        "/a%7f",
        "/a\x01",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%2g",
        "/a%+1",
        "/a%u002e",
        "/a%252e",
        "/a/%252e%252e/b",
        "/a%25%32%65",
        "/a%%32%65",
        "/a%2525",
        "/a%c0%ae",
        "/a%C1%9c",
        "/a%e0%80%ae",
        "/a%f0%80%80%ae",
    };
    for (const auto path : ambiguous) EXPECT_TRUE(is_ambiguous(path)) << path;

    constexpr std::string_view plain[] = {
        "/",
        "*",
        "/a",
        "/a/",
        "/a/b.c",
        "/.well-known/x",
        "/..a",
        "/a..",
        "/a/..b/c",
        "/a;x",
        "/a;x/b",
        "/a;..",
        "/a/;x",
        "/a%20b",
        "/%20",
        "/caf%c3%a9",
        "/caf%e9",
        "/%e0%a4%95",
        "/%f0%9f%98%80",
        "/100%25",
        "/100%25%20",
        "/100%25x2e",
        "/a+b",
        "/~a,b(c)!'*:@&=$",
        "/PBX0/user.soap",
    };
    for (const auto path : plain) EXPECT_FALSE(is_ambiguous(path)) << path;
}

TEST(UrlRules, ComeInPresets) {
    std::set<std::string_view> names;
    for (const Preset& preset : presets()) {
        EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
        EXPECT_FALSE(preset.purpose.empty());
        EXPECT_FALSE(preset.rules.empty());
        for (const auto rule : preset.rules) {
            EXPECT_TRUE(rule.starts_with('/')) << rule;
            EXPECT_FALSE(is_ambiguous(rule)) << rule;
        }
    }
    EXPECT_EQ(names, (std::set<std::string_view>{"mypbx", "apps", "reporting", "cdr", "soap", "operator"}));
    ASSERT_NE(find_preset("mypbx"), nullptr);
    EXPECT_EQ(find_preset("mypbx")->rules.size(), 5U);
    EXPECT_EQ(find_preset("MyPBX"), nullptr);
}

TEST(UrlRules, TheManualListsEveryPresetWithItsRules) {
    std::ifstream file(SALLYPORT_SOURCE_DIR "/src/gate/http/http.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    for (const Preset& preset : presets()) {
        std::string row = "| `" + std::string(preset.name) + "` | ";
        for (const auto rule : preset.rules) row.append(rule == preset.rules.front() ? "`" : ", `").append(rule) += '`';
        EXPECT_NE(page.find(row + " |"), std::string::npos) << row;
    }
}

}  // namespace
}  // namespace sallyport::gate::http
