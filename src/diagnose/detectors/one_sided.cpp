// A capture that holds one direction only. Then silence proves nothing, and nothing is said of it.
#include "diagnose/detectors/all.hpp"

#include "diagnose/wording.hpp"

namespace sallyport::diagnose {

namespace {

class OneSided : public Detector {
public:
    void conclude(const Scene& scene, std::vector<Finding>& findings) override {
        for (const auto& [client, server] : scene.one_sided_pairs()) {
            Finding finding{.id = "one-sided-capture",
                            .severity = Severity::info,
                            .confidence = Confidence::certain,
                            .client = client,
                            .server = server,
                            .protocol = "tcp"};
            finding.text = "Of the connections between " + client.to_string() + " and " + server.to_string() +
                           " only one direction was captured. Whether anything is unanswered can't be told.";
            finding.why = "One side acknowledges what the other must have sent, and that is not in the capture.";
            finding.vantage = "Everything about the other direction.";
            finding.next =
                "Capture where both directions pass: at one of the two ends, or on every path of an asymmetric route.";
            findings.push_back(std::move(finding));
        }
    }
};

}  // namespace

std::unique_ptr<Detector> make_one_sided() { return std::make_unique<OneSided>(); }

}  // namespace sallyport::diagnose
