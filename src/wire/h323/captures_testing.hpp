// For tests of this room: the messages of the captures under tests/data/h323, and what tshark says of messages.
#pragma once

#include "base/bytes.hpp"
#include "base/text.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace sallyport::h323::testing {

inline const std::filesystem::path captures = SALLYPORT_SOURCE_DIR "/tests/data/h323";

inline std::vector<std::string> split(std::string_view text, std::string_view by) {
    std::vector<std::string> out;
    for (;;) {
        const auto end = text.find(by);
        out.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + by.size());
    }
}

inline std::string from_hex(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out += static_cast<char>(parse_number<unsigned char>(digits.substr(i, 2), 16).value());
    return out;
}

/// A line of vectors.tsv: its columns by their names.
using Vector = std::map<std::string, std::string>;

inline std::vector<Vector> vectors() {
    std::ifstream file(captures / "vectors.tsv");
    std::vector<Vector> out;
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) {
        const auto columns = split(line, "\t");
        if (names.empty()) {
            names = columns;
            continue;
        }
        Vector& row = out.emplace_back();
        for (std::size_t i = 0; i < names.size() && i < columns.size(); ++i) row[names[i]] = columns[i];
    }
    return out;
}

/// What each side of each connection of a capture said, by "address:port>address:port" in hex. The captures are of
/// Ethernet, IPv4 and loopback: in order, nothing lost.
inline std::map<std::string, std::string> streams_of(const std::filesystem::path& capture) {
    std::ifstream file(capture, std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    const auto at = [&all](std::size_t i) { return std::size_t{static_cast<unsigned char>(all[i])}; };
    std::map<std::string, std::string> out;
    for (std::size_t packet = 24; packet + 16 + 54 <= all.size();) {
        const std::size_t size = at(packet + 8) | at(packet + 9) << 8;
        const std::size_t ip = packet + 16 + 14;
        const std::size_t tcp = ip + (at(ip) & 0xF) * 4;
        const std::size_t end = ip + (at(ip + 2) << 8 | at(ip + 3));
        const std::size_t data = tcp + (at(tcp + 12) >> 4) * 4;
        const std::string from = all.substr(ip + 12, 4) + all.substr(tcp, 2);
        out[from + all.substr(ip + 16, 4) + all.substr(tcp + 2, 2)] += all.substr(data, end - data);
        packet += 16 + size;
    }
    return out;
}

/// Every whole TPKT in the captures that are H.323.
inline std::vector<std::string> captured_messages() {
    std::vector<std::string> out;
    for (const auto& file : std::filesystem::directory_iterator(captures)) {
        const std::string name = file.path().filename().string();
        if (file.path().extension() != ".pcap" || name.starts_with("19") || name.starts_with("20")) continue;
        for (const auto& [key, stream] : streams_of(file.path())) {
            for (std::size_t i = 0; i + 4 <= stream.size();) {
                const std::size_t length = std::size_t{static_cast<unsigned char>(stream[i + 2])} << 8 |
                                           static_cast<unsigned char>(stream[i + 3]);
                if (length < 4 || i + length > stream.size()) break;
                out.push_back(stream.substr(i, length));
                i += length;
            }
        }
    }
    return out;
}

inline void put(std::string& out, std::uint64_t value, int bytes, bool big_endian = true) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * (big_endian ? bytes - 1 - i : i)));
}

/// Each message in a packet and a connection of its own, to port 1720.
inline std::string capture_of(const std::vector<std::string>& messages) {
    constexpr std::uint64_t raw_ip = 101;  // the link type
    std::string out;
    put(out, 0xA1B2C3D4, 4, false);
    put(out, 2, 2, false);
    put(out, 4, 2, false);
    for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{65535}, raw_ip})
        put(out, word, 4, false);
    std::uint64_t port = 40000;  // beyond those that tshark knows a protocol for
    for (const std::string& message : messages) {
        std::string packet;
        put(packet, 0x4500, 2);
        put(packet, 40 + message.size(), 2);
        put(packet, 0x00010000, 4);
        put(packet, 0x40060000, 4);
        put(packet, 0x7F000001, 4);
        put(packet, 0x7F000001, 4);
        put(packet, port++, 2);
        put(packet, 1720, 2);
        put(packet, 1, 4);
        put(packet, 1, 4);
        put(packet, 0x5018FFFF, 4);
        put(packet, 0, 4);
        packet += message;
        put(out, 0, 8, false);
        put(out, packet.size(), 4, false);
        put(out, packet.size(), 4, false);
        out += packet;
    }
    return out;
}

/// What tshark prints for each message: a column a field, the values of a field that comes again joined by '\x1F'.
/// Empty: there is no tshark.
inline std::vector<std::vector<std::string>> read_by_tshark(const std::vector<std::string>& messages,
                                                            const std::vector<std::string>& fields) {
    const auto capture = std::filesystem::temp_directory_path() / "sallyport-h323.pcap";
    std::ofstream(capture, std::ios::binary) << capture_of(messages);
    std::string command = "tshark -r '" + capture.string() + "' -T fields -E aggregator=$(printf '\\037')";
    for (const auto& field : fields) command += " -e " + field;
    std::vector<std::vector<std::string>> out;
    std::FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
    if (pipe == nullptr) return out;
    std::string text;
    std::array<char, 4096> piece{};
    while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), size);
    ::pclose(pipe);
    std::filesystem::remove(capture);
    for (const auto& line : split(text, "\n")) {
        if (out.size() < messages.size() && !text.empty()) out.push_back(split(line, "\t"));
    }
    return out;
}

}  // namespace sallyport::h323::testing
