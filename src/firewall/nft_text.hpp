// Text for nft, and the words that its rules share.
#pragma once

#include "base/address.hpp"
#include "firewall/policy.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::firewall {

/// Lines, each as far in as blocks are open.
class NftText {
public:
    void line(std::string_view text) { out_.append(depth_, '\t').append(text) += '\n'; }
    void open(std::string_view text) {
        line(std::string(text) + " {");
        ++depth_;
    }
    void close() {
        --depth_;
        line("}");
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
    std::size_t depth_ = 0;
};

/// "x" of one, "{ a, b }" of more.
template <class T, class Word>
std::string list_of(const std::vector<T>& elements, Word word) {
    std::string out;
    for (const auto& element : elements) out += (out.empty() ? "" : ", ") + word(element);
    return out;
}
template <class T, class Word>
std::string set_of(const std::vector<T>& elements, Word word) {
    const std::string list = list_of(elements, word);
    return elements.size() == 1 ? list : "{ " + list + " }";
}

std::string network_text(const Network& network);

/// "iifname "eth1" " of a side; empty where any will do. `meta`: "iifname" or "oifname".
std::string words_of_zone(const Policy& policy, Zone zone, std::string_view meta);

/// The maps of clients, and the chains that translate addresses; nothing where none are translated.
void write_client_maps(NftText& text, const Policy& policy);
void write_arrivals(NftText& text, const Policy& policy);
void write_source_nat(NftText& text, const Policy& policy);

}  // namespace sallyport::firewall
