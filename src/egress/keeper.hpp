// Keeps the book and the stays over restarts: changes are gathered and written once a second, in one transaction.
#pragma once

#include "egress/book.hpp"
#include "egress/people.hpp"
#include "store/egress_lines.hpp"

#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace sallyport::egress {

class Keeper {
public:
    static constexpr std::size_t edits_at_once = 20'000;  // what one write may hold up the control loop with

    /// @param lines  outlives this
    explicit Keeper(store::EgressLines& lines) : lines_(lines) {}

    /// What stood there goes into both. Lines that make no sense, or whose address is in no pool, are left out.
    Result<void> load(Book& book, People& people);
    void note(const Change& change);
    /// The stay of this address as it is now; nothing: it is over.
    void note(const IpAddress& address, const Stay* stay);
    /// Writes what is due. On failure all of it stays due. The error is told once, until a write succeeds again.
    std::optional<std::string> write();
    /// At the end: until nothing is due, or the disk fails.
    std::optional<std::string> write_all();

private:
    store::EgressLines& lines_;
    std::map<std::tuple<std::string, bool, Family>, store::LineEdit<store::EgressLine>> due_;
    std::map<IpAddress, store::LineEdit<store::StayLine>> stays_due_;
    bool failing_ = false;
};

/// A change as a line, and back; nothing where the line makes no sense.
store::EgressLine line_of(const Change& change);
std::optional<Lease> lease_of(const store::EgressLine& line);
std::optional<WallTime> gone_of(const store::EgressLine& line);
/// Takes the line into the book. False: it makes no sense, or came to nothing.
bool hear(const store::EgressLine& line, Book& book);

}  // namespace sallyport::egress
