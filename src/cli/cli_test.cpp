#include "cli/editor_schema.hpp"
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
