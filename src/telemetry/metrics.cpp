#include "telemetry/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

namespace sallyport::telemetry {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The families of the page, in the order in which they are added.
class Page {
public:
    void begin(MetricType type, std::string name, std::string help) {
        families_.push_back({std::move(name), std::move(help), type, {}});
    }
    void add(Labels labels, double value) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.counter.value = value;
        metric.gauge.value = value;
        families_.back().metric.push_back(std::move(metric));
    }
    void add(Labels labels, ClientMetric::Histogram histogram) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.histogram = std::move(histogram);
        families_.back().metric.push_back(std::move(metric));
    }
    void one(MetricType type, std::string name, std::string help, double value) {
        begin(type, std::move(name), std::move(help));
        add({}, value);
    }
    std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

private:
    std::vector<MetricFamily> families_;
};

Labels of(Protocol protocol) { return {{"protocol", std::string(name(protocol))}}; }

struct ProtocolMetric {
    MetricType type;
    const char* name;
    const char* help;
    std::uint64_t (*value)(const ProtocolNumbers<std::uint64_t>&);
};

constexpr std::array protocol_metrics{
    ProtocolMetric{MetricType::Counter, "sallyport_connections_accepted_total", "Connections accepted.",
                   [](const auto& numbers) { return numbers.accepted; }},
    ProtocolMetric{MetricType::Gauge, "sallyport_connections_open", "Connections open now.",
                   [](const auto& numbers) { return numbers.accepted - std::min(numbers.closed, numbers.accepted); }},
    ProtocolMetric{MetricType::Counter, "sallyport_received_bytes_total", "Bytes received from clients.",
                   [](const auto& numbers) { return numbers.bytes_in; }},
    ProtocolMetric{MetricType::Counter, "sallyport_sent_bytes_total", "Bytes sent to clients.",
                   [](const auto& numbers) { return numbers.bytes_out; }},
};

template <class Visit>
void for_each_protocol(const Totals& totals, Visit visit) {
    for (std::size_t i = 0; i < totals.protocols.size(); ++i) visit(static_cast<Protocol>(i), totals.protocols[i]);
}

void add_protocols(Page& page, const Totals& totals) {
    for (const ProtocolMetric& metric : protocol_metrics) {
        page.begin(metric.type, metric.name, metric.help);
        for_each_protocol(totals, [&](Protocol protocol, const auto& numbers) {
            page.add(of(protocol), static_cast<double>(metric.value(numbers)));
        });
    }
}

// Only the pairs that happened: all of them would be hundreds of lines of zeros.
void add_ended(Page& page, const Totals& totals) {
    page.begin(MetricType::Counter, "sallyport_ended_total",
               "Connections and requests that ended, each once, by verdict and reason code.");
    for_each_protocol(totals, [&](Protocol protocol, const auto& numbers) {
        for (const Verdict verdict : {Verdict::forwarded, Verdict::refused}) {
            for (const ReasonText& reason : reasons) {
                const std::uint64_t count = numbers.ended[static_cast<std::size_t>(verdict)][index(reason.reason)];
                if (count == 0) continue;
                Labels labels = of(protocol);
                labels.push_back({"verdict", std::string(name(verdict))});
                labels.push_back({"reason", std::string(reason.code)});
                page.add(std::move(labels), static_cast<double>(count));
            }
        }
    });
}

ClientMetric::Histogram histogram_of(const ProtocolNumbers<std::uint64_t>& numbers) {
    ClientMetric::Histogram histogram;
    for (std::size_t i = 0; i < numbers.durations.size(); ++i) {
        histogram.sample_count += numbers.durations[i];
        const double bound = i < duration_bounds ? seconds(duration_bound(i)) : std::numeric_limits<double>::infinity();
        histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(numbers.duration_nanoseconds) / 1e9;
    return histogram;
}

void add_durations(Page& page, const Totals& totals) {
    page.begin(MetricType::Histogram, "sallyport_duration_seconds", "How long connections and requests took.");
    for_each_protocol(totals, [&](Protocol protocol, const auto& numbers) {
        auto histogram = histogram_of(numbers);
        if (histogram.sample_count > 0) page.add(of(protocol), std::move(histogram));
    });
}

void add_log(Page& page, const LogLosses& losses) {
    page.begin(MetricType::Counter, "sallyport_log_dropped_total",
               "What never reached the log: records and events that found no room, lines that could not be written.");
    for (const auto& [what, count] :
         {std::pair{"record", losses.records}, {"event", losses.events}, {"line", losses.lines}}) {
        page.add({{"what", what}}, static_cast<double>(count));
    }
}

void add_guard(Page& page, const GuardFacts& guard) {
    const auto one = [&](MetricType type, const char* name, const char* help, std::uint64_t value) {
        page.one(type, name, help, static_cast<double>(value));
    };
    one(MetricType::Gauge, "sallyport_guard_bans", "Addresses and networks that are banned now.", guard.bans);
    one(MetricType::Gauge, "sallyport_guard_allows", "Entries that keep from being banned.", guard.allows);
    one(MetricType::Gauge, "sallyport_guard_suspects", "Clients that did something suspicious within the last minute.",
        guard.suspects);
    one(MetricType::Counter, "sallyport_guard_bans_added_total", "Bans since the start.", guard.added);
    one(MetricType::Counter, "sallyport_guard_signs_total", "Suspicious things that clients did.", guard.signs);
    one(MetricType::Counter, "sallyport_guard_signs_dropped_total",
        "Suspicious things that came too fast to be counted.", guard.dropped);
    if (guard.shares)
        one(MetricType::Gauge, "sallyport_guard_shared", "1 while bans are in step with the shared Redis, else 0.",
            guard.in_step ? 1 : 0);
    if (guard.enforces)
        one(MetricType::Gauge, "sallyport_guard_in_kernel",
            "1 while the kernel refuses whom the guard bans, 0 while that holds at accept alone.",
            guard.in_kernel ? 1 : 0);
}

// The names that every Prometheus dashboard knows.
void add_process(Page& page, const ProcessFacts& process) {
    const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
        page.one(MetricType::Gauge, name, help, static_cast<double>(value));
    };
    gauge("process_open_fds", "Open file descriptors.", process.open_descriptors);
    gauge("process_max_fds", "Most file descriptors that may be open.", process.most_descriptors);
    gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
    gauge("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes);
    page.one(MetricType::Counter, "process_cpu_seconds_total", "Processor time, user and system.", process.cpu_seconds);
}

std::uint64_t count_descriptors() {
    std::uint64_t count = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
        ++count;
    return count > 0 ? count - 1 : 0;  // without the one that reads the directory
}

}  // namespace

ProcessFacts process_facts() {
    ProcessFacts facts;
    facts.open_descriptors = count_descriptors();
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.most_descriptors = limit.rlim_cur;

    std::ifstream statm("/proc/self/statm");  // proc(5): total and resident, in pages
    const auto page_size = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    if (statm >> total >> resident) {
        facts.virtual_bytes = total * page_size;
        facts.resident_bytes = resident * page_size;
    }

    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        const auto in_seconds = [](timeval time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        facts.cpu_seconds = in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
    }
    return facts;
}

std::string metrics_text(const Totals& totals, const LogLosses& losses, const GuardFacts& guard,
                         const ProcessFacts& process, Duration uptime) {
    Page page;
    page.begin(MetricType::Gauge, "sallyport_build_info", "Which sallyport this is; always 1.");
    page.add({{"version", SALLYPORT_VERSION}}, 1);
    page.one(MetricType::Gauge, "sallyport_uptime_seconds", "Time since the start.", seconds(uptime));
    add_protocols(page, totals);
    page.one(MetricType::Counter, "sallyport_http_requests_total", "HTTP requests read.",
             static_cast<double>(totals.http_requests));
    add_ended(page, totals);
    add_durations(page, totals);
    page.one(MetricType::Counter, "sallyport_loop_turns_total", "Turns of the data loops.",
             static_cast<double>(totals.turns));
    add_guard(page, guard);
    add_log(page, losses);
    add_process(page, process);
    return page.text();
}

}  // namespace sallyport::telemetry
