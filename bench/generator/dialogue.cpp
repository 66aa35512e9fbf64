#include "generator/dialogue.hpp"

#include "generator/hello.hpp"
#include "generator/ldap_text.hpp"
#include "generator/sip_text.hpp"

namespace sallyport::bench {

Dialogue dialogue_for(const Options& options) {
    switch (options.carrier) {
        case Carrier::http:
        case Carrier::tunnel:
        case Carrier::raw: break;
        case Carrier::sni:
            return {.opening = client_hello(options.host),
                    .welcome = std::string(server_hello()),
                    .request = {},
                    .answer = {}};
        case Carrier::ldap:
            return {.opening = bind_request(options.host),
                    .welcome = bind_response(),
                    .request = {search_request(options.host), Numbered::Written::octets},
                    .answer = {search_answer(options.host, options.entries, options.size), Numbered::Written::octets}};
        case Carrier::sip:
            return {.opening = {},
                    .welcome = {},
                    .request = {options_request(options.host), Numbered::Written::digits},
                    .answer = {options_answer(options.host), Numbered::Written::digits}};
    }
    return {};
}

}  // namespace sallyport::bench
