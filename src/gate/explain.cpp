#include "gate/explain.hpp"

#include "base/text.hpp"
#include "gate/http/explain_http.hpp"

namespace sallyport::gate {

namespace {

struct Form {
    std::string_view scheme;  // of the subject, with its colon
    bool tls;
    void (*explain)(const Snapshot&, const Question&, bool tls, std::string_view rest, Explanation&);
};

constexpr Form forms[] = {
    {"http://", false, http::explain},
    {"https://", true, http::explain},
};

}  // namespace

Result<Explanation> explain(const Snapshot& snapshot, const Question& question) {
    for (const Form& form : forms) {
        const auto scheme = std::string_view(question.subject).substr(0, form.scheme.size());
        if (!equals_ignoring_case(scheme, form.scheme)) continue;
        Explanation explanation;
        form.explain(snapshot, question, form.tls, std::string_view(question.subject).substr(form.scheme.size()),
                     explanation);
        return explanation;
    }
    return fail("can't explain '" + question.subject +
                "': a subject looks like http://hq.example.com/path or https://hq.example.com/path");
}

}  // namespace sallyport::gate
