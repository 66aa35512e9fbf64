#include "telemetry/reason.hpp"

namespace sallyport::telemetry {

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
