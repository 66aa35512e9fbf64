// Another opinion: what tshark reads in the captures of tests/data/diagnosis, and in the same packets behind other link
// headers, against ours.
#include "wire/packet/packet.hpp"
#include "wire/pcap/capture.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sallyport::packet {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::string field(std::uint64_t value) { return std::to_string(value) + ";"; }

std::string say(const pcap::Frame& frame, const Packet& packet) {
    std::string out = std::to_string(frame.time / 1000) + ";" + packet.source.to_string() + ";" +
                      packet.destination.to_string() + ";" + field(packet.time_to_live) + field(packet.protocol);
    if (packet.protocol == protocol::tcp && packet.transport) {
        out += field(packet.source_port) + field(packet.destination_port) + field(packet.tcp.sequence) +
               field(packet.tcp.acknowledgment) + field(packet.tcp.flags) + field(packet.payload_length);
        if (packet.tcp.maximum_segment != 0) out += "mss " + field(packet.tcp.maximum_segment);
    }
    if (packet.protocol == protocol::udp && packet.transport) {
        out += field(packet.source_port) + field(packet.destination_port) + field(packet.payload_length);
    }
    if (packet.icmp.quotes) {
        out += field(packet.icmp.type) + field(packet.icmp.code) + packet.icmp.quoted.source.to_string() + ";" +
               field(packet.icmp.quoted.source_port) + field(packet.icmp.quoted.destination_port);
    }
    return out;
}

std::vector<std::string> ours(const std::string& file) {
    std::vector<std::string> out;
    pcap::Reader reader;
    pcap::Frame frame;
    Bytes rest = as_bytes(file);
    for (;;) {
        const auto step = reader.next(rest, frame);
        rest = rest.subspan(step.consumed);
        if (step.what == pcap::Step::What::need_more || step.what == pcap::Step::What::broken) return out;
        if (step.what != pcap::Step::What::frame) continue;
        Packet packet;
        out.push_back(decode(frame.link_type, frame.bytes, packet) ? say(frame, packet) : "no IP");
    }
}

// The columns of tshark's -T fields; an ICMP error has two of most: "a,b".
struct Row {
    std::vector<std::string> columns;
    std::string first(std::size_t at) const { return columns[at].substr(0, columns[at].find(',')); }
    std::string last(std::size_t at) const {
        const auto comma = columns[at].rfind(',');
        return comma == std::string::npos ? columns[at] : columns[at].substr(comma + 1);
    }
};

constexpr const char* fields =
    " -e frame.time_epoch -e ip.src -e ip.dst -e ip.ttl -e ip.proto -e tcp.srcport -e tcp.dstport -e tcp.seq_raw"
    " -e tcp.ack_raw -e tcp.flags -e tcp.len -e tcp.options.mss_val -e udp.srcport -e udp.dstport -e udp.length"
    " -e icmp.type -e icmp.code";

std::string microseconds(const std::string& epoch) {
    const auto dot = epoch.find('.');
    return epoch.substr(0, dot) + epoch.substr(dot + 1, 6);
}

std::string say(const Row& row) {
    std::string out = microseconds(row.first(0)) + ";" + row.first(1) + ";" + row.first(2) + ";" + row.first(3) + ";" +
                      row.first(4) + ";";
    const auto number = [](const std::string& text) {
        return std::to_string(std::strtoul(text.c_str(), nullptr, 0)) + ";";
    };
    if (row.first(4) == "6") {
        for (const std::size_t at : {5U, 6U, 7U, 8U, 9U, 10U}) out += number(row.first(at));
        if (!row.columns[11].empty()) out += "mss " + row.columns[11] + ";";
    } else if (row.first(4) == "17") {
        out += row.first(12) + ";" + row.first(13) + ";" + std::to_string(std::stoul(row.first(14)) - 8) + ";";
    } else if (row.first(4) == "1") {
        out += row.first(15) + ";" + row.first(16) + ";" + row.last(1) + ";" + row.last(5) + ";" + row.last(6) + ";";
    }
    return out;
}

std::vector<std::string> theirs(const fs::path& file) {
    const std::string command = "tshark -n -r '" + file.string() + "' -T fields" + fields + " 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::vector<std::string> out;
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
        std::istringstream in(std::string(line.data(), std::string_view(line.data()).find('\n')));
        Row row;
        for (std::string column; std::getline(in, column, '\t');) row.columns.push_back(column);
        row.columns.resize(17);
        out.push_back(say(row));
    }
    pclose(pipe);
    return out;
}

std::vector<fs::path> captures() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(SALLYPORT_SOURCE_DIR "/tests/data/diagnosis")) {
        if (entry.path().extension() == ".pcap" || entry.path().extension() == ".pcapng") out.push_back(entry.path());
    }
    return out;
}

// The packets of a capture from Ethernet behind another link header.
std::string behind(const std::string& file, std::uint16_t link_type, std::string_view head, std::size_t off = 14) {
    std::string out;
    std::array<std::byte, 24> room{};
    ByteWriter file_head(room);
    pcap::write_file_head(file_head, link_type);
    out += as_text(file_head.written());
    pcap::Reader reader;
    pcap::Frame frame;
    for (Bytes rest = as_bytes(file);;) {
        const auto step = reader.next(rest, frame);
        rest = rest.subspan(step.consumed);
        if (step.what == pcap::Step::What::need_more) return out;
        if (step.what != pcap::Step::What::frame) continue;
        const std::string bytes = std::string(head) + std::string(as_text(frame.bytes.subspan(off)));
        ByteWriter record_head(room);
        pcap::write_record_head(record_head, {.time = frame.time,
                                              .original_length = static_cast<std::uint32_t>(bytes.size()),
                                              .bytes = as_bytes(bytes)});
        out += std::string(as_text(record_head.written())) + bytes;
    }
}

TEST(PacketByTshark, ReadsTheSameInEveryCapture) {
    if (std::system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no tshark";
    ASSERT_GE(captures().size(), 29U);
    for (const auto& capture : captures()) {
        SCOPED_TRACE(capture.filename());
        EXPECT_EQ(ours(read_file(capture)), theirs(capture));
    }
}

TEST(PacketByTshark, ReadsTheSameBehindEveryLinkHeader) {
    if (std::system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no tshark";
    using namespace std::string_view_literals;
    struct Case {
        const char* name;
        LinkType link_type;
        std::string_view head;
    };
    const Case cases[] = {
        {"raw", LinkType::raw, ""sv},
        {"BSD loopback", LinkType::null, "\x02\0\0\0"sv},
        {"OpenBSD loopback", LinkType::loop, "\0\0\0\x02"sv},
        {"VLAN", LinkType::ethernet, "abcdefABCDEF\x81\0\0\x05\x08\0"sv},
        {"QinQ", LinkType::ethernet, "abcdefABCDEF\x88\xA8\0\x05\x81\0\0\x06\x08\0"sv},
        {"PPPoE", LinkType::ethernet, "abcdefABCDEF\x88\x64\x11\0\0\x01\x05\x00\0\x21"sv},
        {"Linux cooked", LinkType::linux_cooked,
         "\0\0\0\x01\0\x06"
         "abcdef\0\0\x08\0"sv},
        {"Linux cooked 2", LinkType::linux_cooked_2,
         "\x08\0\0\0\0\0\0\x02\0\x01\0\x06"
         "abcdef\0\0"sv},
    };
    const std::string file = read_file(SALLYPORT_SOURCE_DIR "/tests/data/diagnosis/seed003-icmp.pcap");
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string made = behind(file, static_cast<std::uint16_t>(c.link_type), c.head);
        const fs::path path = fs::temp_directory_path() / ("sallyport-link-" + std::to_string(::getpid()) + ".pcap");
        std::ofstream(path, std::ios::binary) << made;
        EXPECT_EQ(ours(made), theirs(path));
        EXPECT_EQ(ours(made), ours(file));
        fs::remove(path);
    }
}

}  // namespace
}  // namespace sallyport::packet
