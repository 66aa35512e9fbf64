// All flows of a capture, in bounded memory: past the limit the oldest is forgotten, and counted.
#pragma once

#include "diagnose/flow.hpp"
#include "wire/packet/packet.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace sallyport::diagnose {

inline constexpr std::size_t max_flows = 1'000'000;
inline constexpr std::size_t max_kept_events = 8'000'000;  // of all flows
inline constexpr std::size_t max_icmp_errors = 100'000;

class FlowTable {
public:
    explicit FlowTable(std::size_t limit = max_flows, std::size_t most_events = max_kept_events);

    struct Found {
        Flow* flow = nullptr;
        Side side = Side::client;  // who sent the packet
    };

    /// The flow of these endpoints, either way round; flow is null where there is none.
    Found find(const SocketAddress& source, const SocketAddress& destination, std::uint8_t protocol,
               std::uint8_t vantage) const;

    /// A new one in its place, which is from now on the one that find() finds. What was there before stays for the end.
    Flow& add(const SocketAddress& client, const SocketAddress& server, std::uint8_t protocol, std::uint8_t vantage);

    void note(Flow& flow, const Event& event);
    std::uint32_t keep(const IcmpError& error);  // its index, or `none` where there is no room

    template <class Use>
    void each(const Use& use) const {
        for (std::size_t number = forgotten_; number < added_; ++number) use(at(number));
    }
    template <class Use>
    void each(const Use& use) {
        for (std::size_t number = forgotten_; number < added_; ++number) use(at(number));
    }
    template <class Use>
    void each_event(const Flow& flow, const Use& use) const {
        for (auto at = flow.first_event; at != none; at = events_[at].next) use(events_[at]);
    }
    const IcmpError* icmp(const Event& event) const {
        return event.value < errors_.size() ? &errors_[event.value] : nullptr;
    }

    std::size_t forgotten() const { return forgotten_; }
    std::size_t lost_events() const { return lost_events_; }  // for which there was no room at all
    std::size_t size() const { return added_ - forgotten_; }
    /// Null where it has been forgotten.
    const Flow* by_number(std::uint32_t number) const {
        return number >= forgotten_ && number < added_ ? &at(number) : nullptr;
    }

private:
    static constexpr std::size_t chunk = 128;

    Flow& at(std::size_t number) const { return chunks_[number % limit_ / chunk][number % limit_ % chunk]; }
    std::size_t slot_of(const SocketAddress& a, const SocketAddress& b, std::uint8_t protocol,
                        std::uint8_t vantage) const;
    void forget_oldest();
    std::uint32_t room_for_event();
    void grow();
    void erase_slot(std::size_t slot);

    std::size_t limit_;
    std::size_t most_events_;
    std::size_t lost_events_ = 0;
    std::size_t added_ = 0;
    std::size_t forgotten_ = 0;
    std::size_t indexed_ = 0;
    std::vector<std::unique_ptr<Flow[]>> chunks_;
    std::vector<std::uint32_t> index_;  // slot within the limit, from 1; 0: free. Open addressing, at most half full
    std::vector<Event> events_;
    std::uint32_t free_events_ = none;  // those of forgotten flows, one behind the other
    std::vector<IcmpError> errors_;
    std::map<IcmpError, std::uint32_t> kept_errors_;  // where each is: routers say the same thing very often
};

}  // namespace sallyport::diagnose
