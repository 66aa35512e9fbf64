// Keeps the kernel's copy of the bans in step (kernel_rules.hpp), on the control loop. Changes gather while nft runs
// and leave together, so that a flood of bans costs a few runs a second. Whatever fails is begun anew, from nothing:
// then bans hold at accept alone, as they do without this.
#pragma once

#include "base/result.hpp"
#include "guard/kernel_rules.hpp"
#include "io/cancellation.hpp"
#include "io/event.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::guard {

class KernelBans {
public:
    struct Options {
        /// Has nft do this, in one step; the error is nft's. Ends by itself, also when nft does not.
        std::function<io::Task<Result<void>>(std::string text)> run;
        /// Every client that is banned now.
        std::function<std::vector<BannedClient>()> all;
        /// It is in step (no reason), or is not, and why.
        std::function<void(const std::string& why)> changed;
    };
    static constexpr std::size_t clients_a_run = 20'000;
    static constexpr std::size_t most_waiting = 100'000;  // changes; more, and the table is made anew

    KernelBans(io::Loop& loop, Options options)
        : loop_(loop), options_(std::move(options)), something_to_do_(loop), closed_(loop) {}

    /// Makes the table, for a start that fails where that can't be.
    io::Task<Result<void>> create();
    /// Keeps in step until close(), and then takes the table away. Outlived by this.
    io::Task<void> keep();
    /// Ends keep(), which has begun, and waits for it.
    io::Task<void> close();

    void listen_at(std::vector<kernel_rules::Port> ports);
    void go_by(std::vector<Network> banned, std::vector<Network> allowed);
    void ban(const BannedClient& term) { change(term.client, term.expires); }
    void lift(ClientKey client) { change(client, std::nullopt); }

    bool in_step() const { return in_step_; }

private:
    void change(ClientKey client, std::optional<SteadyTime> expires);
    bool is_behind() const { return anew_ || frame_changed_ || !missing_.empty() || !changes_.empty(); }
    std::string next_text();
    std::string text_of_missing();
    std::string text_of_changes();
    io::Task<Result<void>> step();
    void tell(const Result<void>& done);

    io::Loop& loop_;
    const Options options_;
    kernel_rules::Frame frame_;
    bool frame_changed_ = false;
    bool anew_ = true;
    std::vector<BannedClient> missing_;  // of a table made anew
    std::unordered_map<ClientKey, std::optional<SteadyTime>> changes_;  // when it expires; nothing: lifted
    bool in_step_ = false;
    std::optional<bool> told_;  // that it is in step
    io::Event something_to_do_;
    io::Event closed_;
    io::Cancellation closing_;
};

}  // namespace sallyport::guard
