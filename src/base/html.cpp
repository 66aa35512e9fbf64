#include "base/html.hpp"

namespace sallyport {

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c >= 0x20 && c < 0x7F ? c : '?'; break;
        }
    }
    return out;
}

}  // namespace sallyport
