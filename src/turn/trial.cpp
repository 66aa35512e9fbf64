#include "turn/trial.hpp"

#include "crypto/hash.hpp"
#include "turn/requester.hpp"
#include "turn/trial_line.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sallyport::turn {

namespace {

class Tester {
public:
    Tester(io::Loop& loop, const SelfTest& test)
        : loop_(loop), test_(test), line_(loop, test), requester_(test.user, test.password) {}

    io::Task<SelfTested> run() {
        const auto opened = co_await line_.open();
        if (!opened) co_return SelfTested{.problem = opened.error().message};
        if (!test_.relays) {
            co_await ask("Binding", [this] { return requester_.binding(); });
            co_return std::move(out_);
        }
        const bool allocated = co_await ask("Allocate", [this] { return requester_.allocate(); });
        if (allocated && !out_.relayed) out_.problem = "Allocate: the answer names no relay";
        if (out_.problem.empty()) co_await send_through();
        if (out_.relayed) line_.send(requester_.refresh(0));
        co_return std::move(out_);
    }

private:
    using Kind = Requester::Answer::Kind;

    // One request with its answer, and again with what a challenge has taught.
    io::Task<bool> ask(std::string what, std::function<Bytes()> request) {
        Requester::Answer answer;
        for (int tries = 0; tries < 3; ++tries) {
            const bool came = co_await line_.exchange(request(), [&](Bytes bytes) {
                answer = requester_.take(bytes);
                return answer.kind != Kind::stray;
            });
            if (!came) out_.problem = what + (line_.was_refused() ? ": refused, nobody listens there" : ": no answer");
            if (!came || answer.kind != Kind::again) break;
        }
        if (out_.problem.empty() && answer.kind != Kind::done)
            out_.problem = what + ": refused with " + std::to_string(answer.code);
        if (answer.mapped) out_.mapped = answer.mapped;
        if (answer.relayed) out_.relayed = answer.relayed;
        const bool worked = out_.problem.empty();
        co_return worked;
    }

    // A permission for the relay itself, and data to it: from there it comes back.
    io::Task<void> send_through() {
        const bool permitted =
            co_await ask("permission for its own relay", [this] { return requester_.permit(out_.relayed->ip); });
        if (!permitted) co_return;
        std::array<std::byte, 16> data;
        crypto::fill_random(data);
        const SteadyTime sent = loop_.now();
        const bool came = co_await line_.exchange(requester_.indicate(*out_.relayed, data), [&](Bytes bytes) {
            const auto message = stun::read_message(bytes);
            return message && message->method() == stun::Method::data &&
                   std::ranges::equal(message->value(stun::Attribute::data), Bytes(data));
        });
        if (came)
            out_.round_trip = loop_.now() - sent;
        else
            out_.problem = "what was sent through the relay " + out_.relayed->to_string() +
                           " to itself never came back: is its port open, and mapped to the server?";
    }

    io::Loop& loop_;
    const SelfTest& test_;
    Line line_;
    Requester requester_;
    SelfTested out_;
};

}  // namespace

io::Task<SelfTested> test_server(io::Loop& loop, SelfTest test) {
    Tester tester(loop, test);
    co_return co_await tester.run();
}

}  // namespace sallyport::turn
