// The system calls of the data path, replaceable: a test makes any of them fail, or do less than asked, at any step.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace sallyport::io {

// In a process of several threads libc arms and disarms the cancellation of threads around each of its own recv and
// send. Nothing here is canceled so, and these are called for every message.
inline ssize_t receive_directly(int fd, void* into, size_t size, int flags) {
    return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}
inline ssize_t send_directly(int fd, const void* from, size_t size, int flags) {
    return ::syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
}
inline ssize_t send_to_directly(int fd, const void* from, size_t size, int flags, const sockaddr* to,
                                socklen_t length) {
    return ::syscall(SYS_sendto, fd, from, size, flags, to, length);
}
inline int receive_many_directly(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
    return static_cast<int>(::syscall(SYS_recvmmsg, fd, messages, count, flags, timeout));
}
inline int send_many_directly(int fd, mmsghdr* messages, unsigned count, int flags) {
    return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}

struct SystemCalls {
    ssize_t (*recv)(int fd, void* into, size_t size, int flags) = receive_directly;
    ssize_t (*send)(int fd, const void* from, size_t size, int flags) = send_directly;
    ssize_t (*sendto)(int fd, const void* from, size_t size, int flags, const sockaddr* to,
                      socklen_t length) = send_to_directly;
    int (*accept4)(int fd, sockaddr* peer, socklen_t* size, int flags) = ::accept4;
    int (*connect)(int fd, const sockaddr* to, socklen_t size) = ::connect;
    int (*recvmmsg)(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) = receive_many_directly;
    int (*sendmmsg)(int fd, mmsghdr* messages, unsigned count, int flags) = send_many_directly;
};

inline constexpr SystemCalls real_system_calls{};

}  // namespace sallyport::io
