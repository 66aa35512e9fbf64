#include "gate/h323/asked.hpp"

#include "wire/h323/gatekeeper_id.hpp"

#include <algorithm>

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;

// The alias that carries a domain, else the first one that says anything.
std::string_view telling(const std::vector<Alias>& aliases) {
    const auto with_domain =
        std::ranges::find_if(aliases, [](const Alias& alias) { return domain_of(alias).has_value(); });
    if (with_domain != aliases.end()) return with_domain->text;
    const auto any = std::ranges::find_if(aliases, [](const Alias& alias) { return !alias.text.empty(); });
    return any == aliases.end() ? std::string_view() : any->text;
}

Asked asked_by_domain(const std::vector<Alias>& aliases, std::string_view why_none) {
    Asked asked{.names = {}, .said = std::string(telling(aliases)), .why_none = {}};
    if (auto domain = domain_of(aliases))
        asked.names.push_back(std::move(*domain));
    else
        asked.why_none = why_none;
    return asked;
}

}  // namespace

Heard hear(Bytes message) {
    Heard heard;
    const auto read = read_q931(message, heard.q931);
    heard.answerable = peek_q931_type(message).has_value();
    if (!read) {
        heard.fault = text(read.error());
        return heard;
    }
    if (!heard.q931.h225) return heard;
    auto information = read_user_information(*heard.q931.h225);
    if (!information) {
        heard.fault = text(information.error());
        return heard;
    }
    heard.information = std::move(*information);
    const std::uint8_t inside = heard.information->body;
    if (heard.q931.type == q931::facility && inside != body::empty && inside != body::facility)
        heard.fault = "a Facility with the body of another message";
    for (const Bytes encoding : heard.information->ras) {
        const auto sound = read_ras(encoding, heard.ras.emplace_back());
        if (sound) continue;
        heard.fault = text(sound.error());
        break;
    }
    return heard;
}

Asked asked_by_gatekeeper_id(std::string_view id) {
    Asked asked{.names = {}, .said = std::string(id), .why_none = {}};
    auto read = read_gatekeeper_id(id);
    if (!read) {
        asked.why_none = read.error();
        asked.malformed = true;
        return asked;
    }
    asked.names.push_back(std::move(read->name));
    for (auto& part : read->parts) asked.names.push_back(std::move(part));
    return asked;
}

Asked asked_by_called(const std::vector<Alias>& called) {
    return asked_by_domain(called, "a call to an alias without a domain: dial user@domain");
}

Asked read_asked(const Heard& heard) {
    if (!heard.fault.empty()) return {.names = {}, .said = {}, .why_none = heard.fault, .malformed = true};
    const auto request = std::ranges::find_if(heard.ras, &RasMessage::is_request);
    if (request != heard.ras.end()) {
        if (request->gatekeeper_identifier) return asked_by_gatekeeper_id(*request->gatekeeper_identifier);
        return asked_by_domain(
            request->aliases,
            "a registration without a gatekeeper id, and no alias has a domain: the phone needs one of both");
    }
    if (heard.information && heard.information->body == body::setup)
        return asked_by_called(heard.information->destination);
    return {.names = {}, .said = {}, .why_none = "neither a registration nor a call"};
}

std::string_view name_of(const Asked& asked, const Snapshot& routing) {
    for (const auto& name : asked.names) {
        if (routing.find(config::Protocol::h323, name) != nullptr) return name;
    }
    return asked.names.empty() ? std::string_view() : asked.names.front();
}

}  // namespace sallyport::gate::h323
