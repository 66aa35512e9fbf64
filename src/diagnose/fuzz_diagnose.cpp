// Any bytes at all as a capture file, through the whole pipeline: a report whose numbers hold each other, in text and
// in HTML that nothing from outside can break out of.
#include "base/fuzzing.hpp"
#include "diagnose/analysis.hpp"
#include "diagnose/report_html.hpp"

#include <algorithm>

namespace {

using namespace sallyport;
using fuzzing::require;

void feed(Bytes file, diagnose::Analysis& analysis) {
    pcap::Reader reader;
    pcap::Frame frame;
    analysis.begin_file("fuzz");
    for (;;) {
        const auto step = reader.next(file, frame);
        file = file.subspan(step.consumed);
        if (step.what == pcap::Step::What::frame) analysis.frame(frame);
        if (step.what == pcap::Step::What::need_more || step.what == pcap::Step::What::broken) return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    diagnose::Analysis analysis;
    feed(Bytes(reinterpret_cast<const std::byte*>(data), size), analysis);
    const auto report = analysis.finish();
    for (const auto& finding : report.findings) {
        require(finding.seconds_lost() >= 0 && !finding.id.empty() && !finding.text.empty());
        require(
            std::ranges::all_of(finding.packets, [&](auto packet) { return packet >= 1 && packet <= report.packets; }));
    }
    require(to_text(report).find('\x1b') == std::string::npos);
    require(to_html(report).find("<script") == std::string::npos);
    require(!conclusion(report).empty());
    return 0;
}
