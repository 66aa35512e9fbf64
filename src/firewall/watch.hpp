// Whether our table is in the kernel, told by the kernel itself: a netlink socket that hears of every change. It takes
// the rights of root to open and none to listen to, so that the gateway opens it before it gives them up.
#pragma once

#include "base/result.hpp"
#include "io/fd.hpp"

namespace sallyport::firewall {

class Watch {
public:
    /// Asks what is loaded and hears of changes from then on. The error: no right to, or no nftables in this kernel.
    static Result<Watch> open();

    /// Readable when there is news.
    int fd() const { return socket_.get(); }
    /// Takes all news there is; never blocks. Another program's replacing our table may look like its end until all of
    /// the news is there.
    void read();
    bool loaded() const { return loaded_; }

private:
    explicit Watch(io::Fd socket) : socket_(std::move(socket)) {}
    bool take(const char* data, std::size_t size);

    io::Fd socket_;
    bool loaded_ = false;
};

}  // namespace sallyport::firewall
