#include "diagnose/live.hpp"

#include "diagnose/ring_file.hpp"
#include "io/fd.hpp"
#include "io/signals.hpp"

#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <sstream>
#include <vector>

namespace sallyport::diagnose {

namespace {

using std::chrono::steady_clock;

constexpr int ring_bytes = 32 << 20;  // of the kernel
constexpr int turn = 200;  // milliseconds between looks at the clock
constexpr std::uint64_t at_once = 10'000;  // packets that are taken between two looks

struct Close {
    void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, Close>;

auto refuse(std::string message, bool not_permitted = false) {
    return std::unexpected(LiveError{.message = std::move(message), .not_permitted = not_permitted});
}

Result<Handle, LiveError> activate(const std::string& interface) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    Handle handle(pcap_create(interface.c_str(), error.data()));
    if (!handle) return refuse("can't capture from " + interface + ": " + error.data());
    pcap_set_snaplen(handle.get(), static_cast<int>(pcap::max_frame));
    pcap_set_promisc(handle.get(), interface == "any" ? 0 : 1);
    pcap_set_immediate_mode(handle.get(), 1);
    pcap_set_timeout(handle.get(), turn);
    pcap_set_buffer_size(handle.get(), ring_bytes);
    pcap_set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);
    const int status = pcap_activate(handle.get());
    if (status >= 0) return handle;
    std::string why = pcap_geterr(handle.get());
    if (why.empty()) why = pcap_statustostr(status);
    const bool denied = status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED;
    return refuse("can't capture from " + interface + ": " + why, denied);
}

Result<void, LiveError> set_filter(pcap_t* handle, const std::string& filter) {
    if (filter.empty()) return {};
    bpf_program program{};
    if (pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
        return refuse("can't compile the filter \"" + filter + "\": " + pcap_geterr(handle));
    }
    const int status = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    if (status != 0) return refuse("can't set the filter \"" + filter + "\": " + pcap_geterr(handle));
    return {};
}

// What the callback of libpcap is given.
struct Sink {
    Analysis* analysis = nullptr;
    std::optional<RingFile> ring;
    std::uint16_t link_type = 0;
    bool nanoseconds = false;

    // What was seen is told all the same.
    void keep(const Result<void>& written) {
        if (written) return;
        analysis->note("not all is kept: " + written.error().message);
        ring.reset();
    }
};

void take(u_char* context, const pcap_pkthdr* head, const u_char* bytes) {
    auto& sink = *reinterpret_cast<Sink*>(context);
    const std::int64_t fraction = head->ts.tv_usec;
    const pcap::Frame frame{
        .time = std::int64_t{head->ts.tv_sec} * 1'000'000'000 + fraction * (sink.nanoseconds ? 1 : 1000),
        .link_type = sink.link_type,
        .original_length = head->len,
        .bytes = {reinterpret_cast<const std::byte*>(bytes), head->caplen}};
    sink.analysis->frame(frame);
    if (sink.ring) sink.keep(sink.ring->write(frame));
}

// DLT numbers differ from those of files only for raw IP.
std::uint16_t link_type_of(pcap_t* handle) {
    const int type = pcap_datalink(handle);
    return static_cast<std::uint16_t>(type == DLT_RAW ? 101 : type);
}

}  // namespace

std::string filter_of(const LiveOptions& options) {
    std::string out;
    if (options.client) out = "host " + options.client->to_string();
    std::istringstream session(options.ssh_connection);
    std::string peer, peer_port, own, own_port;
    if (session >> peer >> peer_port >> own >> own_port && IpAddress::parse(peer) && IpAddress::parse(own) &&
        SocketAddress::parse("0.0.0.0:" + peer_port) && SocketAddress::parse("0.0.0.0:" + own_port)) {
        out += out.empty() ? "" : " and ";
        out +=
            "not (tcp and host " + peer + " and port " + peer_port + " and host " + own + " and port " + own_port + ")";
    }
    return out;
}

Result<void, LiveError> capture_live(const LiveOptions& options, Analysis& analysis, const LiveProgress& progress) {
    auto handle = activate(options.interface);
    if (!handle) return std::unexpected(handle.error());
    if (auto set = set_filter(handle->get(), filter_of(options)); !set) return set;
    const std::array stop_signals{SIGINT, SIGTERM};
    const auto signals = io::block_signals(stop_signals);
    if (!signals) return refuse(signals.error().message);

    Sink sink;
    sink.analysis = &analysis;
    sink.link_type = link_type_of(handle->get());
    sink.nanoseconds = pcap_get_tstamp_precision(handle->get()) == PCAP_TSTAMP_PRECISION_NANO;
    if (!options.ring_file.empty()) {
        auto ring = RingFile::create(options.ring_file, options.ring_size, sink.link_type);
        if (!ring) return refuse(ring.error().message);
        sink.ring = std::move(*ring);
    }
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap_setnonblock(handle->get(), 1, error.data());
    analysis.begin_file(options.interface);
    const auto begin = steady_clock::now();
    for (;;) {
        std::array<pollfd, 2> watched{pollfd{pcap_get_selectable_fd(handle->get()), POLLIN, 0},
                                      pollfd{signals->get(), POLLIN, 0}};
        ::poll(watched.data(), watched.size(), turn);
        const std::uint64_t wanted = options.packets == 0 ? at_once : options.packets - analysis.packets();
        const int got = pcap_dispatch(handle->get(), static_cast<int>(std::min(wanted, at_once)), take,
                                      reinterpret_cast<u_char*>(&sink));
        if (got < 0) return refuse("the capture from " + options.interface + " ended: " + pcap_geterr(handle->get()));
        const Duration passed = steady_clock::now() - begin;
        if (progress) progress(std::chrono::duration<double>(passed).count(), analysis.packets());
        const bool enough = (options.packets > 0 && analysis.packets() >= options.packets) ||
                            (options.duration.count() > 0 && passed >= options.duration);
        if (enough || (watched[1].revents & POLLIN) != 0) break;
    }
    if (sink.ring) sink.keep(sink.ring->finish());
    pcap_stat statistics{};
    if (pcap_stats(handle->get(), &statistics) == 0 && statistics.ps_drop > 0) {
        analysis.note("the kernel could not keep " + std::to_string(statistics.ps_drop) + " frames: they are missing");
    }
    return {};
}

}  // namespace sallyport::diagnose
