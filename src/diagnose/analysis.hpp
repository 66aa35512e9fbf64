// From frames to a report: decoding, flows, detectors.
#pragma once

#include "base/result.hpp"
#include "diagnose/detector.hpp"
#include "diagnose/duplicates.hpp"
#include "diagnose/report.hpp"
#include "wire/packet/fragments.hpp"
#include "wire/pcap/capture.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::diagnose {

class Analysis {
public:
    Analysis();
    /// Only what this address sends and gets is looked at.
    void only(const IpAddress& client) { client_ = client; }

    /// Certificates of servers that somebody else has issued are an interception.
    /// @param part  of the issuer's name; empty: anybody may.
    void expect_issuer(std::string part) { scene_.expected_issuer = std::move(part); }

    /// What follows is from this file. Files that continue the one before are one capture; others are places of their
    /// own.
    void begin_file(const std::string& name);
    void frame(const pcap::Frame& frame);
    /// Something to say about this file: that it is cut, that the system could not keep all frames.
    void note(std::string text);
    /// TLS secrets that a file holds, handed on as they are.
    void keep_secrets(const std::string& key_log) { report_.tls_secrets += key_log; }

    std::uint64_t packets() const { return report_.packets; }
    Report finish();

private:
    void choose_vantage(Time time);
    void decoded(const packet::Packet& packet, Time time);
    void fragment(const packet::Packet& packet, Time time, PacketNumber number);
    void whole(const packet::Packet& packet, Time time, PacketNumber number);
    void note_fragments();

    Scene scene_;
    Duplicates duplicates_;
    packet::Fragments fragments_;
    Report report_;
    std::vector<std::unique_ptr<Detector>> detectors_;
    std::vector<Detector*> sees_tcp_, sees_udp_;
    std::uint8_t vantage_ = 0;
    bool file_begins_ = true;
    std::uint64_t before_file_ = 0;  // packets
    std::optional<IpAddress> client_;
    Time file_end_ = 0;
    std::uint64_t duplicates_found_ = 0, unknown_links_ = 0, cut_fragments_ = 0, cut_frames_ = 0;
    std::uint16_t unknown_link_ = 0;
};

/// Is told how far the reading is: bytes taken, bytes in all (0: unknown).
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Reads a whole file, "-" for standard input. An error where nothing in it could be read; a cut file is no error.
Result<void> read_file(const std::string& name, Analysis& analysis, const Progress& progress);

}  // namespace sallyport::diagnose
