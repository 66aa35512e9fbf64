// Any bytes at all, in any pieces: every frame lies in what was given, the pieces change nothing, and reading ends.
#include "base/fuzzing.hpp"
#include "wire/packet/packet.hpp"
#include "wire/pcap/capture.hpp"

#include <string>
#include <vector>

namespace {

using namespace sallyport;
using What = pcap::Step::What;
using fuzzing::require;
using fuzzing::require_inside;

// What a file says, with `piece` bytes more given each time.
std::vector<std::string> read_all(Bytes file, std::size_t piece) {
    std::vector<std::string> story;
    pcap::Reader reader;
    pcap::Frame frame;
    std::size_t begin = 0, end = 0;
    for (;;) {
        const Bytes input = file.subspan(begin, end - begin);
        const auto step = reader.next(input, frame);
        require(step.consumed <= input.size());
        if (step.what == What::need_more) {
            require(step.wanted > input.size() && step.wanted <= pcap::max_block + pcap::record_head_size);
            if (end == file.size()) return story;
            end = std::min(end + piece, file.size());
            continue;
        }
        if (step.what == What::broken) return story.emplace_back(pcap::text(step.error)), story;
        if (step.what == What::frame) {
            require_inside(frame.bytes, input);
            require(frame.time >= 0 && frame.time <= pcap::max_time);
            require(frame.interface < reader.interfaces().size() && frame.original_length >= frame.bytes.size());
            packet::Packet packet;
            if (packet::decode(frame.link_type, frame.bytes, packet)) require_inside(packet.payload, frame.bytes);
            story.push_back(std::to_string(frame.time) + " " + std::string(as_text(frame.bytes)));
        }
        begin += step.consumed;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes file(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    require(read_all(file, file.size() + 1) == read_all(file, 1 + data[0] % 64));
    return 0;
}
