"""What a process costs: CPU, private memory, and the processes and threads that it starts."""

import contextlib
import os
import pathlib
import socket
import struct
import time

# linux/netlink.h, linux/connector.h, linux/cn_proc.h
NETLINK_CONNECTOR = 11
CN_PROC = 1
LISTEN = 1
EVENT_FORK = 1
HEADERS = 16 + 20  # of netlink, of the connector
BODY = 16          # of the event's head
BUFFER = 8 << 20


def members(leader):
    """The agent and what it has started: its helper."""
    found = [leader]
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == leader:
                found.append(int(path.parent.name))
    return sorted(found)


def cpu_ms(pids):
    """By the processes' own CPU clocks: exact, with the threads that have ended."""
    return sum(1000 * time.clock_gettime(((~pid) << 3) | 2) for pid in pids)


def anonymous_kib(pids):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("RssAnon:") else 0
    return total


def forks(pids, seconds):
    """How many processes and threads these start meanwhile. The kernel tells of all that start on
    the machine, with who started them; a message lost would be an error (ENOBUFS)."""
    found = heard = 0
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR) as events:
        events.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        events.bind((0, CN_PROC))
        order = struct.pack("=I", LISTEN)
        order = struct.pack("=IIIIHH", CN_PROC, 1, 0, 0, len(order), 0) + order
        events.send(struct.pack("=IHHII", 16 + len(order), 3, 0, 0, os.getpid()) + order)
        while (left := deadline - time.monotonic()) > 0:
            events.settimeout(left)
            with contextlib.suppress(TimeoutError):
                data = events.recv(4096)
                what, = struct.unpack_from("=I", data, HEADERS)
                _, parent = struct.unpack_from("=II", data, HEADERS + BODY)
                found += what == EVENT_FORK and parent in pids
                heard += 1
    assert heard, "the kernel tells of no process (CONFIG_PROC_EVENTS)"
    return found
