// The parts of the server that both of its transports use: who waits for an answer, and how a question becomes one.
#pragma once

#include "dns/server.hpp"
#include "wire/dns/answer.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace sallyport::dns {

/// A client whose question was passed on. Owns what its answer needs of the question.
struct Server::ClientWaiting : Waiting {
    ClientWaiting(Server& of, const Query& query, const Origin& from, std::size_t most, std::string_view target_name)
        : server(of),
          client(from.client),
          asked(Asked::of(query)),
          began(of.loop_.now()),
          limit(most),
          size(from.size),
          target(target_name) {
        std::memcpy(question.data(), query.question.data(), query.question.size());
        asked.question = Bytes(question).first(query.question.size());
    }

    Server& server;
    SocketAddress client;
    Asked asked;
    SteadyTime began;
    std::size_t limit;  // octets that the client takes
    std::size_t size;   // octets of its question
    std::string target;  // of its record; empty unless questions are logged
    std::array<std::byte, max_name + 4> question;
};

// Answers a question, or has it passed on: then nothing is answered now.
// @param query  as read_query() left it
// @param make_waiting  (query, target) -> std::unique_ptr<Waiting>
template <class MakeWaiting>
Bytes Server::respond(Received received, const Query& query, const Origin& origin, MutableBytes room,
                      MakeWaiting&& make_waiting) {
    if (received == Received::query) return decide_and_answer(query, origin, room, make_waiting);
    const auto rcode = received == Received::bad_version       ? bad_version
                       : received == Received::not_implemented ? static_cast<std::uint16_t>(Rcode::not_imp)
                                                               : static_cast<std::uint16_t>(Rcode::form_err);
    Asked asked = Asked::of(query);
    asked.edns = received == Received::bad_version;
    const Bytes answer = AnswerWriter(room, asked, rcode).finish();
    tell(origin, asked, {.reason = telemetry::Reason::peek_malformed, .view = {}, .target = {}}, answer.size(), {});
    return answer;
}

template <class MakeWaiting>
Bytes Server::decide_and_answer(const Query& query, const Origin& origin, MutableBytes room,
                                MakeWaiting&& make_waiting) {
    using telemetry::Reason;
    const Zones& zones = *zones_.zones;
    const NameKey key(query.name(), zones.seed());
    const Decision decision =
        decide(zones, {query.name(), query.type, query.qclass, origin.client.ip}, key, claims_, nullptr);
    Outcome outcome{.reason = Reason::ok,
                    .view = decision.view == nullptr ? std::string_view() : decision.view->name,
                    .target = name(decision.outcome)};
    Bytes answer;
    if (decision.outcome == dns::Outcome::forward) {
        // By UDP nobody gets more than he asked with: ANY is for those who came by TCP (RFC 8482 section 4.4).
        if (query.type == type::any && !origin.tcp) {
            answer = AnswerWriter(room, Asked::of(query), 0, flag::truncated).finish();
        } else {
            answer = forwarder_.answer_now(query, key, decision, room);
            outcome.target = "cache";
        }
        if (answer.empty()) {
            const std::string_view group = zones.settings().log_queries ? decision.group->owner : std::string_view();
            forwarder_.ask(query, key, decision, make_waiting(query, group));
            return {};
        }
    } else if (decision.outcome == dns::Outcome::claimed && decision.claim->state == Claim::State::unsettled) {
        scope_.spawn(settle(make_waiting(query, "push"), *Name::from_wire(query.name()), query.type, origin.client.ip));
        return {};
    } else {
        answer = write_answer(room, Asked::of(query), query.type, decision);
        if (decision.outcome == dns::Outcome::refused) outcome.reason = Reason::dns_refused;
        if (decision.outcome == dns::Outcome::unserved) outcome.reason = Reason::protocol_unsupported;
        if (decision.outcome == dns::Outcome::nowhere) outcome.reason = Reason::dns_no_answer;
        if (decision.outcome == dns::Outcome::denied) outcome.reason = Reason::dns_denied;
    }
    tell(origin, Asked::of(query), outcome, answer.size(), {});
    return answer;
}

}  // namespace sallyport::dns
