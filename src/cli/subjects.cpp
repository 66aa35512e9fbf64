#include "cli/subjects.hpp"

#include <string>

namespace sallyport::cli {

Result<gate::Explanation> explain_by_gate(const gate::Snapshot& snapshot, const gate::Question& question) {
    auto explanation = gate::explain(snapshot, question);
    if (explanation) return explanation;
    std::string forms = explanation.error().message;
    for (const SubjectKind& kind : {dns_subject, turn_subject, packet_subject})
        forms += ", " + std::string(kind.example);
    return fail(std::move(forms));
}

}  // namespace sallyport::cli
