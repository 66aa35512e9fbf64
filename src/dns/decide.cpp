#include "dns/decide.hpp"

#include <algorithm>
#include <array>

namespace sallyport::dns {

namespace {

constexpr std::array<std::string_view, 9> outcome_names{"refused", "unserved", "claimed", "local",  "no data",
                                                        "denied",  "absent",   "forward", "nowhere"};

constexpr std::uint32_t denied_ttl = 300;  // seconds

class Decider {
public:
    Decider(const Zones& zones, const Question& question, const NameKey& key, Trail* trail)
        : zones_(zones), question_(question), key_(key), trail_(trail) {}

    Decision decide(Claims* claims) {
        if (!zones_.serves(question_.client)) {
            note("dns.clients", {}, "the client is in none of these networks");
            return {.outcome = Outcome::refused};
        }
        Decision out{.outcome = Outcome::unserved, .view = &zones_.view_of(question_.client)};
        bit_ = ViewSet{1} << zones_.index_of(*out.view);
        if (trail_ != nullptr) note_view(*out.view);
        if (question_.qclass != class_in || question_.type == type::axfr || question_.type == type::ixfr) {
            note("dns", {}, "answers questions of class IN, and passes no zones on");
            return out;
        }
        if (claims != nullptr && find_claim(*claims, out)) return out;
        if (take_local(out, zones_.names().find(key_)) || find_domain(out)) return out;
        pass_on(out, out.view->group);
        return out;
    }

private:
    void note(std::string rule, config::Place place, std::string result) {
        if (trail_ != nullptr) trail_->push_back({std::move(rule), std::move(place), std::move(result)});
    }
    void note(std::uint32_t rule, const char* result) {
        if (trail_ != nullptr) note(zones_.rules()[rule].text, zones_.rules()[rule].place, result);
    }
    void note_view(const View& view) {
        if (view.name.empty())
            note("dns.view", {}, "the client is in no view");
        else
            note("dns.view " + view.name, view.place, "match");
    }

    bool find_claim(Claims& claims, Decision& out) {
        out.claim = claims.claim({.name = question_.name,
                                  .type = question_.type,
                                  .client = question_.client,
                                  .view = static_cast<std::uint32_t>(zones_.index_of(*out.view))});
        if (!out.claim) return false;
        note("push", {}, "the name is one of a courier");
        out.outcome = Outcome::claimed;
        return true;
    }

    bool take_local(Decision& out, Variants variants) {
        while (const auto local = variants.next()) {
            if ((local->views & bit_) == 0) {
                note(local->rule, "not in this view");
                continue;
            }
            const auto set = local->find(question_.type);
            note(local->rule, set ? "match" : "match; the name has no record of this type");
            out.local = *local;
            out.set = set.value_or(RecordSet{});
            out.outcome = set ? Outcome::local : Outcome::no_data;
            return true;
        }
        return false;
    }

    // The longest ending that says anything decides; of one ending, a record beats `deny`, that beats a forward, and
    // that beats what the name means everywhere.
    bool find_domain(Decision& out) {
        zones_.domains().find_ending(key_, 0, [&](const Domain& domain, std::size_t skipped) {
            out.private_allowed = out.private_allowed || domain.private_allowed;
            if (decided_) return false;
            decided_ = skipped > 0 && take_local(out, Variants(domain.below));
            if (!decided_ && domain.denied) {
                note(domain.denied_by, "match");
                out.outcome = Outcome::denied;
                decided_ = true;
            }
            if (!decided_) decided_ = take_forward(out, domain);
            if (!decided_) decided_ = take_absence(out, domain, skipped == 0);
            return false;  // what a longer ending decided may still be allowed private addresses by a shorter one
        });
        return decided_;
    }

    bool take_forward(Decision& out, const Domain& domain) {
        for (const auto& forward : domain.forwards) {
            if ((forward.views & bit_) == 0) {
                note(forward.rule, "not in this view");
                continue;
            }
            note(forward.rule, "match");
            out.private_allowed = true;  // its own name servers may well name private addresses
            pass_on(out, forward.group);
            return true;
        }
        return false;
    }

    bool take_absence(Decision& out, const Domain& domain, bool is_itself) {
        const bool holds = domain.absent == Absent::everywhere ||
                           (domain.absent == Absent::outside && zones_.groups()[out.view->group].outside);
        if (!holds) return false;
        note(domain.absent_by, "match; nobody is asked about it");
        // Names of ours may be below it: one that does not exist has nothing below it (RFC 8020).
        const bool may_be_above = is_itself || key_.labels() < domain.whole_labels;
        out.outcome = may_be_above ? Outcome::no_data : Outcome::absent;
        out.local = zones_.nothing();
        return true;
    }

    void pass_on(Decision& out, std::size_t group) {
        out.group_index = group;
        out.group = &zones_.groups()[group];
        out.outcome = out.group->servers.empty() ? Outcome::nowhere : Outcome::forward;
        if (trail_ == nullptr) return;
        std::string servers;
        for (const auto& server : out.group->servers) servers += (servers.empty() ? "" : ", ") + server.to_string();
        note(out.group->owner, out.group->place, servers.empty() ? "no upstream is configured" : "asks " + servers);
    }

    const Zones& zones_;
    const Question& question_;
    const NameKey& key_;
    Trail* trail_;
    ViewSet bit_ = 1;
    bool decided_ = false;
};

void write_claim(AnswerWriter& writer, std::uint16_t asked_type, const Claim& claim) {
    const bool wants_v4 = asked_type == type::a || asked_type == type::any;
    const bool wants_v6 = asked_type == type::aaaa || asked_type == type::any;
    if (wants_v4 && !claim.v4.is_unspecified())
        writer.answer(type::a, claim.ttl, std::as_bytes(std::span(claim.v4.bytes())).last(4));
    else if (wants_v6 && !claim.v6.is_unspecified())
        writer.answer(type::aaaa, claim.ttl, std::as_bytes(std::span(claim.v6.bytes())));
    else
        writer.start_of_authority(claim.ttl);
}

}  // namespace

std::string_view name(Outcome outcome) { return outcome_names[static_cast<std::size_t>(outcome)]; }

Decision decide(const Zones& zones, const Question& question, const NameKey& key, Claims* claims, Trail* trail) {
    return Decider(zones, question, key, trail).decide(claims);
}

Bytes write_answer(MutableBytes room, const Asked& asked, std::uint16_t asked_type, const Decision& decision) {
    const auto rcode = [](Rcode code) { return static_cast<std::uint16_t>(code); };
    switch (decision.outcome) {
        case Outcome::local: {
            AnswerWriter writer(room, asked, 0, flag::authoritative);
            writer.answers(decision.set.records, decision.set.count);
            return writer.finish();
        }
        case Outcome::no_data: {
            AnswerWriter writer(room, asked, 0, flag::authoritative);
            writer.start_of_authority(decision.local.ttl);
            return writer.finish();
        }
        case Outcome::denied:
        case Outcome::absent: {
            AnswerWriter writer(room, asked, rcode(Rcode::nx_domain), flag::authoritative);
            writer.start_of_authority(denied_ttl);
            return writer.finish(decision.outcome == Outcome::denied ? ExtendedError::filtered : ExtendedError::none);
        }
        case Outcome::claimed: {
            const bool absent = decision.claim->state == Claim::State::absent;
            AnswerWriter writer(room, asked, rcode(absent ? Rcode::nx_domain : Rcode::no_error), flag::authoritative);
            if (absent)
                writer.start_of_authority(decision.claim->ttl);
            else
                write_claim(writer, asked_type, *decision.claim);
            return writer.finish();
        }
        default: break;
    }
    Asked stranger = asked;
    if (decision.outcome == Outcome::refused) stranger.edns = false;  // never more octets than were sent
    return AnswerWriter(room, stranger, rcode(Rcode::refused)).finish(ExtendedError::prohibited);
}

}  // namespace sallyport::dns
