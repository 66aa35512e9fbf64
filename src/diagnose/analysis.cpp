#include "diagnose/analysis.hpp"

#include "diagnose/source.hpp"
#include "diagnose/tracker.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20;  // bytes; more than the largest block

void add_attempts(const Scene& scene, Report& report) {
    std::set<IpAddress> clients;
    for (const Finding& finding : report.findings) {
        if (finding.severity != Severity::info) clients.insert(finding.client);
    }
    for (const IpAddress& client : clients) {
        for (const Flow* flow : scene.of_client(client, INT64_MIN)) {
            if (report.attempts.size() >= max_attempts) return;
            const Time end = std::max(flow->of(Side::client).last_time, flow->of(Side::server).last_time);
            report.attempts.push_back({.client = client,
                                       .server = flow->server.ip,
                                       .port = flow->server.port,
                                       .from = flow->of(Side::client).first_time,
                                       .to = end,
                                       .established = flow->established,
                                       .tries = scene.tries(*flow).times});
        }
    }
}

PacketNumber first_packet(const Finding& finding) {
    return finding.packets.empty() ? UINT64_MAX : finding.packets.front();
}

// Several places of capture tell of the same fault: the surest stays.
void merge_places(std::vector<Finding>& findings) {
    std::ranges::sort(findings, {}, [](const Finding& finding) {
        return std::tuple(-static_cast<int>(finding.confidence), first_packet(finding));
    });
    std::set<std::tuple<std::string_view, std::string, IpAddress, IpAddress, std::uint16_t, std::string_view>> told;
    std::erase_if(findings, [&told](const Finding& f) {
        return !told.emplace(f.id, f.kind, f.client, f.server, f.port, f.protocol).second;
    });
}

}  // namespace

Analysis::Analysis() {
    for (const DetectorRow& row : detectors()) {
        detectors_.push_back(row.make());
        if (row.sees == Sees::tcp || row.sees == Sees::both) sees_tcp_.push_back(detectors_.back().get());
        if (row.sees == Sees::udp || row.sees == Sees::both) sees_udp_.push_back(detectors_.back().get());
    }
}

void Analysis::begin_file(const std::string& name) {
    report_.files.push_back(name);
    before_file_ = report_.packets;
    file_begins_ = true;
}

void Analysis::note(std::string text) {
    if (report_.files.size() > 1) text = report_.files.back() + ": " + text;
    report_.notes.push_back(std::move(text));
}

// A file that begins where the one before ended goes on with it.
void Analysis::choose_vantage(Time time) {
    file_begins_ = false;
    if (report_.files.size() > 1 && time < file_end_ && vantage_ < UINT8_MAX) ++vantage_;
    file_end_ = time;
}

void Analysis::frame(const pcap::Frame& frame) {
    ++report_.packets;
    if (file_begins_) choose_vantage(frame.time);
    file_end_ = std::max(file_end_, frame.time);
    if (report_.packets == 1) report_.first_time = report_.last_time = frame.time;
    report_.first_time = std::min(report_.first_time, frame.time);
    report_.last_time = std::max(report_.last_time, frame.time);
    if (frame.bytes.size() < frame.original_length) ++cut_frames_;
    packet::Packet packet;
    if (packet::decode(frame.link_type, frame.bytes, packet)) return decoded(packet, frame.time);
    if (packet::is_known(frame.link_type)) return;
    ++unknown_links_;
    unknown_link_ = frame.link_type;
}

void Analysis::decoded(const packet::Packet& packet, Time time) {
    if (client_ && packet.source != *client_ && packet.destination != *client_) return;
    if (duplicates_.seen(packet, time)) {
        ++duplicates_found_;
        return;
    }
    const PacketNumber number = PacketNumber{report_.files.size() - 1} << file_shift | (report_.packets - before_file_);
    packet.fragment ? fragment(packet, time, number) : whole(packet, time, number);
}

// Held until the datagram is whole; where it never is, its first part has to do.
void Analysis::fragment(const packet::Packet& packet, Time time, PacketNumber number) {
    while (const auto given = fragments_.give_up(time)) whole(given->packet, given->time, given->number);
    if (packet.part.bytes.size() < packet.part.length) {
        ++cut_fragments_;
        return whole(packet, time, number);
    }
    if (const auto given = fragments_.add(packet, time, number)) whole(given->packet, given->time, given->number);
}

void Analysis::whole(const packet::Packet& packet, Time time, PacketNumber number) {
    if (packet.protocol == packet::protocol::icmp || packet.protocol == packet::protocol::icmp_v6) {
        return track_icmp(scene_, packet, time, number, vantage_);
    }
    const auto tracked = track(scene_, packet, time, number, vantage_);
    if (!tracked || packet.payload.empty()) return;
    const Sighting sighting{.packet = packet,
                            .flow = *tracked->flow,
                            .side = tracked->side,
                            .time = time,
                            .number = number,
                            .repeated = tracked->repeated};
    const auto& who = packet.protocol == packet::protocol::tcp ? sees_tcp_ : sees_udp_;
    for (Detector* detector : who) detector->see(sighting, scene_);
}

Report Analysis::finish() {
    scene_.first_time = report_.first_time;
    scene_.last_time = report_.last_time;
    while (const auto given = fragments_.give_up(INT64_MAX)) whole(given->packet, given->time, given->number);
    scene_.settle();
    Findings findings;
    for (const auto& detector : detectors_) detector->conclude(scene_, findings);
    std::size_t left_out = findings.dropped();
    report_.findings = findings.take();
    merge_places(report_.findings);
    std::ranges::sort(report_.findings, is_worse);
    if (report_.findings.size() > max_findings) {
        left_out += report_.findings.size() - max_findings;
        report_.findings.resize(max_findings);
    }
    if (left_out > 0) report_.notes.push_back(std::to_string(left_out) + " more findings are left out");
    add_attempts(scene_, report_);
    report_.flows = scene_.flows.size();
    if (duplicates_found_ > 0) {
        report_.notes.push_back(count_text(duplicates_found_, "frame was", "frames were") +
                                " captured twice; the copies are left out");
    }
    if (scene_.flows.forgotten() > 0) {
        report_.notes.push_back("more than " + std::to_string(max_flows) + " flows: the oldest " +
                                std::to_string(scene_.flows.forgotten()) + " were forgotten");
    }
    if (scene_.flows.lost_events() > 0) scene_.no_room_for("SYNs, resets and ICMP errors", scene_.flows.lost_events());
    for (const auto& [what, count] : scene_.left_out()) {
        report_.notes.push_back("there was no room for " + std::to_string(count) + " later " + std::string(what) +
                                ": what is wrong with them is not told");
    }
    if (unknown_links_ > 0) {
        report_.notes.push_back(std::to_string(unknown_links_) + " frames of link type " +
                                std::to_string(unknown_link_) + " can't be read");
    }
    if (cut_frames_ > 0) {
        report_.notes.push_back(count_text(cut_frames_, "frame was", "frames were") +
                                " not captured whole (snap length): what messages say is read as far as it is there");
    }
    note_fragments();
    return std::move(report_);
}

void Analysis::note_fragments() {
    if (fragments_.overlapping() > 0) {
        report_.notes.push_back(count_text(fragments_.overlapping(), "datagram has", "datagrams have") +
                                " fragments that overlap, which only attackers and broken stacks send; left out");
    }
    if (fragments_.incomplete() > 0) {
        report_.notes.push_back(count_text(fragments_.incomplete(), "datagram lacks", "datagrams lack") +
                                " fragments; of these the first part is read");
    }
    if (cut_fragments_ > 0) {
        report_.notes.push_back(count_text(cut_fragments_, "fragment was", "fragments were") +
                                " cut by the capture, and datagrams can't be put together again from such");
    }
}

namespace {

// The bytes that have been read and not consumed.
struct Window {
    std::vector<std::byte> room = std::vector<std::byte>(buffer_size);
    std::size_t begin = 0, end = 0;

    Bytes bytes() const { return Bytes(room).subspan(begin, end - begin); }
    MutableBytes free_room() {
        if (begin > 0) std::memmove(room.data(), room.data() + begin, end - begin);
        end -= std::exchange(begin, 0);
        return MutableBytes(room).subspan(end);
    }
};
static_assert(buffer_size > pcap::max_block + pcap::record_head_size);

void note_missed(const pcap::Reader& reader, Analysis& analysis) {
    std::uint64_t missed = 0;
    for (const auto& interface : reader.interfaces()) missed += interface.missed;
    if (missed > 0) analysis.note("the capturing system missed " + count_text(missed, "frame", "frames"));
}

void keep_secrets(const pcap::Reader& reader, Analysis& analysis) {
    if (reader.tls_secrets().empty() && !reader.lacks_secrets()) return;
    analysis.keep_secrets(reader.tls_secrets());
    analysis.note(
        std::string("the file holds TLS secrets, which are not used here; --tls-secrets writes them for tools "
                    "that decrypt") +
        (reader.lacks_secrets() ? ", but for some that are too large to keep" : ""));
}

}  // namespace

Result<void> read_file(const std::string& name, Analysis& analysis, const Progress& progress) {
    auto source = Source::open(name);
    if (!source) return std::unexpected(source.error());
    analysis.begin_file(name == "-" ? "standard input" : name);
    const std::uint64_t before = analysis.packets();
    pcap::Reader reader;
    pcap::Frame frame;
    Window window;
    for (;;) {
        const auto step = reader.next(window.bytes(), frame);
        window.begin += step.consumed;
        if (step.what == pcap::Step::What::frame) analysis.frame(frame);
        if (step.what == pcap::Step::What::broken) {
            if (analysis.packets() == before) return fail(name + ": " + std::string(text(step.error)));
            analysis.note("damaged behind packet " + std::to_string(analysis.packets() - before) + " (" +
                          std::string(text(step.error)) + "); what came before is used");
            break;
        }
        if (step.what != pcap::Step::What::need_more) continue;
        const auto got = (*source)->read(window.free_room());
        if (!got) return std::unexpected(got.error());
        window.end += *got;
        if (progress) progress((*source)->taken(), (*source)->size());
        if (*got > 0) continue;
        if ((*source)->damaged()) analysis.note("what the file is packed in is cut or damaged");
        if (window.bytes().empty() && reader.may_end()) break;
        if (!reader.may_end() && analysis.packets() == before)
            return fail(name + ": not a capture file, or one cut in its head");
        analysis.note("the file is cut behind packet " + std::to_string(analysis.packets() - before) +
                      "; what came before is used");
        break;
    }
    note_missed(reader, analysis);
    keep_secrets(reader, analysis);
    return {};
}

}  // namespace sallyport::diagnose
