#include "config/config.hpp"

namespace sallyport::config {

std::string ListenAddress::to_string() const {
    return dual_stack ? ':' + std::to_string(address.port) : address.to_string();
}

std::string ProxyUrl::to_string() const {
    const std::string scheme = kind == Kind::http ? "http://" : "socks5://";
    return scheme + (host.contains(':') ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::vector<Network> apple_networks() {
    std::vector<Network> out;
    for (const char* text :
         {"17.0.0.0/8", "2620:149:a44::/48", "2403:300:a42::/48", "2403:300:a51::/48", "2a01:b740:a42::/48"})
        out.push_back(*Network::parse(text));
    return out;
}

}  // namespace sallyport::config
