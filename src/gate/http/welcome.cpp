#include "gate/http/welcome.hpp"

#include "base/html.hpp"
#include "gate/http/answer.hpp"
#include "gate/http/html.hpp"

namespace sallyport::gate::http {

std::string welcome_page(sallyport::http::Method method, std::string_view name, bool keep_alive) {
    const std::string page =
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>sallyport works</title>\n" +
        std::string(page_style) + "\n" +
        "<h1>sallyport works</h1>\n"
        "<p>You asked for <b>" +
        escape_html(name) +
        "</b>, and this gateway has a service of that name.\n"
        "Its target is the built-in welcome page. To reach a server of yours instead, set in that service:</p>\n"
        "<p><code>target = [\"172.16.0.10\"]</code><br><code>plain_port = 80</code></p>\n"
        "<p>Then <code>sallyport reload</code>; no connection is cut by it.</p>\n</html>\n";
    return write_page("text/html; charset=utf-8", page, method, keep_alive);
}

}  // namespace sallyport::gate::http
