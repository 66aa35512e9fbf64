"""A wire with a length, for kernels without netem: copies frames between two interfaces of this namespace, each some
milliseconds later. Run as a program: slow_wire.py ONE OTHER MILLISECONDS. Says "up" when it does."""
import fcntl
import heapq
import select
import socket
import struct
import sys
import time

# What a network card would do to frames behind the back of whoever copies them (linux/ethtool.h).
TX_CHECKSUM, TX_SEGMENTS, GENERIC_SEGMENTS, GENERIC_RECEIVE = 0x17, 0x1F, 0x24, 0x2C
SIOCETHTOOL = 0x8946
OUTGOING = 4


def send_frames_as_they_are(interface):
    """Turns offloading off, as `ethtool -K` does."""
    import ctypes
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in (TX_SEGMENTS, GENERIC_SEGMENTS, GENERIC_RECEIVE, TX_CHECKSUM):
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", interface.encode(), ctypes.addressof(value)))


def copy(one, other, delay):
    ends = {}
    for interface in (one, other):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        end.bind((interface, 3))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        ends[end] = interface
    first, second = ends
    far = {first: second, second: first}
    waiting, number = [], 0
    print("up", flush=True)
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(list(ends), [], [], wait)[0]:
            frame, address = end.recvfrom(65536)
            if address[2] == OUTGOING:
                continue
            number += 1
            heapq.heappush(waiting, (time.monotonic() + delay, number, far[end], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(waiting)
            end.send(frame)


if __name__ == "__main__":
    if sys.argv[1] == "--plain":
        for name in sys.argv[2:]:
            send_frames_as_they_are(name)
    else:
        copy(sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000)
