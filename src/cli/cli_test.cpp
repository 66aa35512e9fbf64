#include "cli/editor_schema.hpp"
#include "cli/egress_shapes.hpp"
#include "cli/push_shapes.hpp"
#include "cli/shapes.hpp"
#include "config/schema.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using nlohmann::json;

TEST(EditorSchema, KnowsEveryServedKeyOfTheTableAndNoOther) {
    const json schema = cli::editor_schema();
    for (const auto& table : config::schema()) {
        SCOPED_TRACE(table.name);
        const auto dot = table.name.find('.');
        json one = schema["properties"][std::string(table.name.substr(0, dot))];
        if (dot != std::string_view::npos) one = one["properties"][std::string(table.name.substr(dot + 1))];
        if (table.repeated) one = one["items"];
        EXPECT_EQ(one["additionalProperties"], false);
        for (const auto& row : table.rows) {
            SCOPED_TRACE(row.key);
            EXPECT_TRUE(one["properties"].contains(std::string(row.key))) << row.key;
        }
    }
    const json& service = schema["properties"]["service"]["items"];
    EXPECT_EQ(service["properties"]["plain_port"]["type"], "integer");
    EXPECT_TRUE(service["properties"]["allow_from"].contains("anyOf")) << "one network, or a list";
    EXPECT_EQ(service["properties"]["source"]["type"], "string")
        << "an address is not a list, though its name ends in s";
}

TEST(EgressShapes, TellTheSourcesAsCsvWithFieldsQuoted) {
    const json answer{
        {"pins", {{{"who", "user o\"brien, pat"}, {"source", "192.0.2.17"}, {"origin", "configuration"}}}},
        {"sources", {{{"who", "address 10.1.2.3"}, {"source", "192.0.2.18"}, {"since", "2026-03-01T12:00:00.000Z"}}}}};
    EXPECT_EQ(cli::egress_csv(answer),
              "who,source,since,origin\r\n"
              "\"user o\"\"brien, pat\",192.0.2.17,,configuration\r\n"
              "address 10.1.2.3,192.0.2.18,2026-03-01T12:00:00.000Z,given\r\n");
}

TEST(PushShapes, TellWhoAskedAndNeverCame) {
    const WallTime now{std::chrono::seconds(1'800'000'000)};
    const IpAddress silent = *IpAddress::parse("10.1.0.1");
    const IpAddress good = *IpAddress::parse("10.1.0.2");
    const IpAddress sudden = *IpAddress::parse("10.1.0.3");
    std::vector<std::unordered_map<IpAddress, push::Device>> loops(2);
    loops[0][silent] = {.asked = push::Courier{.number = 7}, .asked_at = now};
    loops[0][good] = {.asked = push::Courier{.number = 8}, .asked_at = now};
    loops[1][good] = {.connected_at = now, .open = 2};
    loops[1][sudden] = {.connected_at = now, .open = 1};
    const json rows = cli::devices_json(loops);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0]["remark"], "asked, never connected");
    EXPECT_EQ(rows[0]["asked_for"], "7-courier.push.apple.com");
    EXPECT_EQ(rows[1]["remark"], "");
    EXPECT_EQ(rows[1]["open"], 2);
    EXPECT_EQ(rows[2]["remark"], "connected without asking");
}

TEST(Shapes, AnExplanationReadsAlikeFromTheGatewayAndFromTheFile) {
    gate::Explanation explanation;
    explanation.reason = telemetry::Reason::service_unknown;
    explanation.nearest = "hq.example.com";
    explanation.trail.push_back({"services of http", {}, "none is named 'hq.exmaple.com'"});
    const gate::Question question{"http://hq.exmaple.com/", *IpAddress::parse("203.0.113.5")};
    for (const char* source : {"live", "file"}) {
        const json shape = cli::to_json(explanation, question, source);
        EXPECT_EQ(shape["verdict"], "refused");
        EXPECT_EQ(shape["service"], nullptr);
        const std::string text = cli::explanation_text(shape);
        EXPECT_NE(text.find("refused, service.unknown"), std::string::npos);
        EXPECT_NE(text.find("did you mean: hq.example.com"), std::string::npos);
    }
}
