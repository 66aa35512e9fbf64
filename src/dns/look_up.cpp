// Questions of an admin: passed on as a client's would be, and told of nowhere.
#include "dns/respond.hpp"

#include <utility>

namespace sallyport::dns {

struct Server::AdminWaiting final : Waiting {
    AdminWaiting(const Query& query, std::function<void(LookedUp)> whom)
        : told(std::move(whom)), asked(Asked::of(query)) {
        std::memcpy(question.data(), query.question.data(), query.question.size());
        asked.question = Bytes(question).first(query.question.size());
    }

    void answered(const Reply& reply) override {
        std::vector<std::byte> room(max_message);
        room.resize(reply.write(room, asked).size());
        told({reply.reason(), std::move(room)});
    }

    std::function<void(LookedUp)> told;
    Asked asked;
    std::array<std::byte, max_name + 4> question;
};

void Server::look_up(const Name& name, std::uint16_t type, const IpAddress& client,
                     std::function<void(LookedUp)> told) {
    std::array<std::byte, header_size + max_name + 4> message;
    ByteWriter out(message);
    constexpr std::array<std::uint16_t, 6> head{0, flag::recursion_desired, 1, 0, 0, 0};
    for (const std::uint16_t field : head) out.u16(field);
    out.bytes(name.wire());
    out.u16(type);
    out.u16(class_in);
    Query query;
    const bool is_query = read_query(out.written(), query) == Received::query;
    if (!zones_.zones || finishing_ || !is_query) return told({});
    const NameKey key(query.name(), zones_.zones->seed());
    const Decision decision = decide(*zones_.zones, {query.name(), type, class_in, client}, key, nullptr, nullptr);
    if (decision.outcome != dns::Outcome::forward) return told({});
    std::vector<std::byte> room(max_message);
    room.resize(forwarder_.answer_now(query, key, decision, room).size());
    if (!room.empty()) return told({telemetry::Reason::ok, std::move(room)});
    forwarder_.ask(query, key, decision, std::make_unique<AdminWaiting>(query, std::move(told)));
    forwarder_.flush();
}

}  // namespace sallyport::dns
