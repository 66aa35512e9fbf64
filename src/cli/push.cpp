#include "cli/push.hpp"

#include "admin/message.hpp"
#include "cli/call.hpp"
#include "cli/egress_settings.hpp"
#include "cli/generation.hpp"
#include "cli/push_settings.hpp"
#include "cli/shapes.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "push/check.hpp"

#include <chrono>
#include <cstdio>

namespace sallyport::cli {

using nlohmann::json;

namespace {

io::Task<void> check_and_stop(io::Loop& loop, const push::Policy& policy, const egress::Sources& sources,
                              push::Checked& out) {
    out = co_await push::check(loop, policy, sources);
    loop.stop();
}

json to_json(const push::Checked& checked) {
    json families = json::array();
    for (const auto& one : checked.families) {
        json row{{"family", config::to_string(one.family)}, {"couriers", one.couriers}};
        row["trouble"] = one.trouble.empty() ? json(nullptr) : json(one.trouble);
        families.push_back(std::move(row));
    }
    json addresses = json::array();
    for (const auto& one : checked.addresses) {
        const std::string result = !one.allowed ? "not in allow_to" : one.failure.empty() ? "connects" : one.failure;
        json row{{"address", one.to.ip.to_string()},
                 {"port", one.to.port},
                 {"result", result},
                 {"took_ms", std::chrono::duration<double, std::milli>(one.took).count()}};
        row["source"] = one.source.empty() ? json(nullptr) : json(one.source);
        row["via"] = one.via.empty() ? json(nullptr) : json(one.via);
        addresses.push_back(std::move(row));
    }
    return {{"works", checked.works()}, {"families", std::move(families)}, {"addresses", std::move(addresses)}};
}

std::string text_of(const push::Checked& checked) {
    std::string out;
    for (const auto& one : checked.families) {
        out += std::string(config::to_string(one.family)) + ": " + std::to_string(one.couriers.size()) + " couriers";
        if (!one.couriers.empty())
            out += ", " + std::to_string(one.couriers.front()) + " to " + std::to_string(one.couriers.back());
        out += (one.trouble.empty() ? "" : "; name servers: " + one.trouble) + "\n";
    }
    std::vector<std::vector<std::string>> rows{{"ADDRESS", "RESULT", "MS", "SOURCE", "VIA"}};
    for (const auto& one : checked.addresses) {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(one.took).count();
        rows.push_back({one.to.to_string(),
                        !one.allowed          ? "not in allow_to"
                        : one.failure.empty() ? "connects"
                                              : one.failure,
                        one.allowed ? std::to_string(ms) : "", one.source, one.via});
    }
    if (rows.size() > 1) out += table_text(rows);
    return out + (checked.works() ? "devices would reach Apple\n" : "devices would NOT reach Apple\n");
}

std::string devices_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{{"DEVICE", "ASKED FOR", "ASKED", "CONNECTED", "OPEN", "REMARK"}};
    for (const auto& one : answer.value("devices", json::array()))
        rows.push_back({cli::text_of(one, "device"), cli::text_of(one, "asked_for"), cli::text_of(one, "asked"),
                        cli::text_of(one, "connected"), std::to_string(one.value("open", 0U)),
                        cli::text_of(one, "remark")});
    return rows.size() == 1 ? "no device has asked or connected yet\n" : table_text(rows);
}

}  // namespace

Exit push_check(const Common& common, const std::string& as) {
    const auto device = as.empty() ? IpAddress{} : IpAddress::parse(as);
    if (!device) {
        std::fprintf(stderr, "sallyport: --as: \"%s\" is no address\n", as.c_str());
        return Exit::usage;
    }
    const auto presets = preset_names();
    const auto loaded = config::load(common.config_file, presets);
    for (const auto& error : loaded.errors) std::fputs(config::to_text(error, "error").c_str(), stderr);
    if (!loaded.config) return Exit::invalid;
    const push::Policy policy = push_policy(*loaded.config);
    egress::Book book;  // empty: pins and the hash say it, as for a device that comes for the first time
    book.apply(egress_policy(*loaded.config));
    const egress::Sources sources = book.look({.address = *device}).sources;
    auto loop = io::Loop::create();
    if (!loop) {
        std::fprintf(stderr, "sallyport: %s\n", loop.error().message.c_str());
        return Exit::failed;
    }
    push::Checked checked;
    io::Scope scope(**loop);
    scope.spawn(check_and_stop(**loop, policy, sources, checked));
    (*loop)->run();
    const std::string text = common.json ? admin::to_text(to_json(checked)) + "\n" : text_of(checked);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return checked.works() ? Exit::done : Exit::answer_is_no;
}

Exit push_devices(const Common& common) {
    return call_and_print(common, {.target = "/api/v1/push/devices"}, devices_text);
}

}  // namespace sallyport::cli
