#include "telemetry/reason.hpp"

namespace sallyport::telemetry {

namespace {

constexpr bool rows_follow_the_enumeration() {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        if (index(reasons[i].reason) != i) return false;
    }
    return reasons.size() == index(Reason::firewall_closed) + 1;
}
static_assert(rows_follow_the_enumeration());

}  // namespace

std::string reasons_page() {
    std::string page =
        "# Reason codes\n\n"
        "Every connection or request ends in one record with one of these codes. The log, the metrics, `explain` and "
        "the\n"
        "API use the same ones. This page is generated from the table in `src/telemetry/reason.hpp`; a test holds it "
        "equal.\n\n"
        "| code | cause | what to do |\n"
        "|---|---|---|\n";
    for (const ReasonText& text : reasons) {
        page.append("| `").append(text.code).append("` | ").append(text.cause);
        page.append(" | ").append(text.remedy).append(" |\n");
    }
    return page;
}

}  // namespace sallyport::telemetry
