#include "cli/editor_schema.hpp"

#include "config/schema.hpp"

#include <algorithm>
#include <string>

namespace sallyport::cli {

namespace {

using nlohmann::json;

json value_of(const config::Row& row) {
    if (row.type == "boolean") return {{"type", "boolean"}};
    if (row.type == "integer" || row.type == "port") return {{"type", "integer"}};
    json text{{"type", row.type == "ports" ? "integer" : "string"}};
    if (!row.words.empty()) text["enum"] = json(row.words);
    // Types that end in s are lists of which one value may stand alone; "address" is no such type.
    const bool list = row.type.ends_with('s') && row.type != "address" && row.type != "listen address";
    if (!list) return text;
    return {{"anyOf", {text, {{"type", "array"}, {"items", text}}}}};
}

json wrapped(const config::Table& table, json one) {
    return table.repeated ? json{{"type", "array"}, {"items", std::move(one)}} : std::move(one);
}

json table_of(const config::Table& table) {
    json properties = json::object();
    json required = json::array();
    const std::string within = std::string(table.name) + '.';
    for (const auto& inner : config::schema()) {
        if (inner.name.starts_with(within))
            properties[std::string(inner.name.substr(within.size()))] = wrapped(inner, table_of(inner));
    }
    for (const auto& row : table.rows) {
        json value = value_of(row);
        value["description"] = row.meaning;
        if (row.limits.required) required.push_back(row.key);
        properties[std::string(row.key)] = std::move(value);
    }
    json out{{"type", "object"},
             {"description", table.intro},
             {"properties", std::move(properties)},
             {"additionalProperties", false}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
}

}  // namespace

json editor_schema() {
    json properties = json::object();
    for (const auto& table : config::schema()) {
        if (table.name.contains('.')) continue;  // stands within its outer one
        properties[std::string(table.name)] = wrapped(table, table_of(table));
    }
    return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "sallyport.toml"},
            {"type", "object"},
            {"properties", std::move(properties)},
            {"additionalProperties", false}};
}

}  // namespace sallyport::cli
