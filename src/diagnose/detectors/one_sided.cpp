// A capture that holds one direction only. Then silence proves nothing, and nothing is said of it.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

namespace sallyport::diagnose {

namespace {

constexpr std::size_t most_pairs = 8;  // that are told one by one

class OneSided : public Detector {
public:
    void conclude(const Scene& scene, Findings& findings) override {
        const auto& pairs = scene.one_sided_pairs();
        if (pairs.size() > most_pairs) {
            const auto& [client, server] = *pairs.begin();
            findings.push_back(told(client, server,
                                    "Of " + std::to_string(pairs.size()) + " pairs of hosts (first " +
                                        client.to_string() + " and " + server.to_string() + ")"));
            return;
        }
        for (const auto& [client, server] : pairs) {
            findings.push_back(told(client, server,
                                    "Of the connections between " + client.to_string() + " and " + server.to_string()));
        }
    }

private:
    static Finding told(const IpAddress& client, const IpAddress& server, const std::string& whose) {
        Finding finding{.id = "one-sided-capture",
                        .severity = Severity::info,
                        .confidence = Confidence::certain,
                        .client = client,
                        .server = server,
                        .protocol = "tcp"};
        finding.text = whose + " only one direction was captured. Whether anything is unanswered can't be told.";
        finding.why = "One side acknowledges what the other must have sent, and that is not in the capture.";
        finding.vantage = "Everything about the other direction.";
        finding.next =
            "Capture where both directions pass: at one of the two ends, or on every path of an asymmetric route.";
        return finding;
    }
};

}  // namespace

std::unique_ptr<Detector> make_one_sided() { return std::make_unique<OneSided>(); }

}  // namespace sallyport::diagnose
