// The system calls of the data path, replaceable: a test makes any of them fail, or do less than asked, at any step.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

namespace sallyport::io {

struct SystemCalls {
    ssize_t (*recv)(int fd, void* into, size_t size, int flags) = ::recv;
    ssize_t (*send)(int fd, const void* from, size_t size, int flags) = ::send;
    int (*accept4)(int fd, sockaddr* peer, socklen_t* size, int flags) = ::accept4;
    int (*connect)(int fd, const sockaddr* to, socklen_t size) = ::connect;
    int (*recvmmsg)(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) = ::recvmmsg;
    int (*sendmmsg)(int fd, mmsghdr* messages, unsigned count, int flags) = ::sendmmsg;
};

inline constexpr SystemCalls real_system_calls{};

}  // namespace sallyport::io
