// A harmless try: one port refused by TCP reset before every other rule, by a table that belongs to a process of ours
// and dies with it, however that ends. It answers "would the clients go on at once?" without opening anything.
#pragma once

#include "base/result.hpp"
#include "io/fd.hpp"

#include <sys/types.h>

#include <cstdint>

namespace sallyport::firewall {

class Experiment {
public:
    /// Needs the rights of root. The error: the kernel did not take the table.
    static Result<Experiment> begin(std::uint16_t port);
    Experiment(Experiment&& other) noexcept;
    Experiment& operator=(Experiment&&) = delete;
    ~Experiment();  // and the table is gone

private:
    Experiment(pid_t holder, io::Fd input) : holder_(holder), input_(std::move(input)) {}

    pid_t holder_;  // an nft that owns the table and ends with its input
    io::Fd input_;
};

}  // namespace sallyport::firewall
