#include "cli/egress.hpp"

#include "admin/message.hpp"
#include "cli/call.hpp"
#include "cli/egress_shapes.hpp"

namespace sallyport::cli {

using nlohmann::json;

Exit egress_list(const Common& common, const EgressOptions& options) {
    return call_and_print(common, {.target = "/api/v1/egress"}, options.csv ? egress_csv : egress_text);
}

Exit egress_whois(const Common& common, const EgressOptions& options) {
    const std::pair<std::string_view, std::string_view> query[] = {{"address", options.address}};
    return call_and_print(common, {.target = admin::with_query("/api/v1/egress/whois", query)}, whois_text);
}

Exit egress_pin(const Common& common, const EgressOptions& options) {
    json body{{"source", options.source}};
    for (const auto& [kind, who] : {std::pair{"client", &options.client}, std::pair{"network", &options.network},
                                    std::pair{"mac", &options.mac}, std::pair{"user", &options.user}}) {
        if (!who->empty()) body[kind] = *who;
    }
    const std::string target = options.remove ? "/api/v1/egress/pins/remove" : "/api/v1/egress/pins";
    return call_and_print(common, {.method = "POST", .target = target, .body = admin::to_text(body)},
                          [&options](const json& answer) {
                              if (options.remove) return std::string("the pin is gone\n");
                              return answer.value("who", "") + " goes out from " + answer.value("source", "") + "\n";
                          });
}

}  // namespace sallyport::cli
