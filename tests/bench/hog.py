"""Probes while others take all of the CPU: is a container ever blamed for it?

    hog.py BUILD [--minutes 5] [--hogs 4]

HTTP probers with a timeout of 1 s probe a server in another network namespace. Some of
its ports answer at once, some after the timeout, and some shortly before it, which is where mistakes
are made. What was on the cable and when is known from the kernel's time stamps at the server's end.
Of each failure that was counted the request must have been there within 100 ms of its tick, and no
answer may have left in time. Exits with 1 if there is one for which that is not so.
"""

import argparse
import collections
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import probe_network  # noqa: E402

PROBERS = 200
PERIOD_SECONDS = 2
FIRST = 20000
PROMPT = range(FIRST, FIRST + 160)
SLOW = range(FIRST + 160, FIRST + 170)     # true failures
EDGE = range(FIRST + 170, FIRST + PROBERS)  # answers 10 ms before the end
SLOW_MS, EDGE_MS = 1500, 990
TIMEOUT = 1000000  # all times are in microseconds of the boot clock
LATE = 100000
SHOWN = 20
SLACK = 1000       # of the comparison of two clocks

SO_TIMESTAMPNS = 35
OUTGOING = 4
BUFFER = 256 << 20
SO_RCVBUFFORCE = 33
FIN, SYN, RST, ACK = 1, 2, 4, 16


class Connection:
    def __init__(self, syn):
        self.syn = syn
        self.accepted = self.request = self.answer = None


def boot_ahead():
    """What to add to the wall clock for the boot clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.time_ns()


class Cable:
    """Remembers what was on it."""

    def __init__(self, network):
        self.packets = network.packets("server")
        self.packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self.packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.packets.settimeout(0.5)
        self.ahead = boot_ahead()
        self.connections = collections.defaultdict(list)  # {port of the server: [Connection]}
        self.latest = {}                                  # {(port, port of the client): Connection}
        self.over = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while True:
            try:
                data, ancillary, _, address = self.packets.recvmsg(256, 64)
            except TimeoutError:
                if self.over:
                    return
                continue
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
            if data[9] == socket.IPPROTO_TCP:
                self.take(data, address[2] == OUTGOING,
                          (seconds * 1000000000 + nanoseconds + self.ahead) // 1000)

    def take(self, data, outgoing, when):
        start = 4 * (data[0] & 15)
        source, target = struct.unpack_from("!HH", data, start)
        flags = data[start + 13]
        length = struct.unpack_from("!H", data, 2)[0] - start - 4 * (data[start + 12] >> 4)
        if not outgoing and flags & SYN:
            connection = self.latest.get((target, source))
            if connection and connection.accepted is None:
                return  # sent again
            connection = Connection(when)
            self.latest[target, source] = connection
            self.connections[target].append(connection)
            return
        connection = self.latest.get((source, target) if outgoing else (target, source))
        if not connection:
            return
        if outgoing and flags & SYN:
            connection.accepted = connection.accepted or when
        elif outgoing and length:
            connection.answer = connection.answer or when
        elif length:
            connection.request = connection.request or when

    def close(self):
        """All that was on it must have been seen."""
        self.over = True
        self.thread.join()
        drift = abs(boot_ahead() - self.ahead) // 1000
        assert drift < SLACK, f"the wall clock was set by {drift} us meanwhile: start again"
        _, lost = struct.unpack("=II", self.packets.getsockopt(263, 6, 8))  # PACKET_STATISTICS
        assert not lost, f"{lost} packets were not seen"
        self.packets.close()


Attempt = collections.namedtuple("Attempt", "port tick began ended verdict")


def complaint(attempt, connections):
    """Why a counted failure should not have been counted; None: it should."""
    own = [connection for connection in connections
           if attempt.began - SLACK <= connection.syn <= attempt.ended + SLACK]
    if not own:
        return "its request was never sent"
    connection = own[0]
    sent = connection.request or (connection.accepted is None and connection.syn)
    if not sent:
        return "it was connected, but its request was never sent"
    if sent - attempt.tick > LATE:
        return (f"its request came {(sent - attempt.tick) / 1000:.1f} ms after its tick (it began "
                f"{(attempt.began - attempt.tick) / 1000:.1f}, and its connection "
                f"{(connection.syn - attempt.tick) / 1000:.1f} ms after it)")
    if attempt.verdict not in ("connect timeout", "no response in time"):
        return f"the server does not do that to anybody: {attempt.verdict}"
    if connection.answer and connection.answer < attempt.began + TIMEOUT - SLACK:
        return (f"its answer came {(connection.answer - attempt.began) / 1000:.1f} ms after its "
                "beginning")
    return None


def read_attempts(process):
    """[Attempt], {name: (value, unit)}"""
    output, _ = process.communicate()
    assert process.returncode == 0
    attempts, rows = [], {}
    for line in output.splitlines():
        if line.startswith("attempt "):
            _, port, tick, began, ended, verdict = line.split(maxsplit=5)
            attempts.append(Attempt(int(port), int(tick), int(began), int(ended), verdict))
        else:
            name, value, unit = line.split(maxsplit=2)
            rows[name] = (float(value), unit)
    return attempts, rows


def start_hogs(count):
    return [subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "sh", "-c", "while :; do :; done"])
            for _ in range(count)]


def rage(build, seconds, hogs_per_core):
    """[Attempt] of those that did not succeed, {port: [Connection]}, rows"""
    network = probe_network.ProbeNetwork(
        build, f"http:{PROMPT[0]}-{PROMPT[-1]}", f"http:{SLOW[0]}-{SLOW[-1]}:{SLOW_MS}",
        f"http:{EDGE[0]}-{EDGE[-1]}:{EDGE_MS}")
    hogs = []
    try:
        cable = Cable(network)
        try:
            hogs = start_hogs(hogs_per_core * os.cpu_count())
            attempts, rows = read_attempts(network.start(
                "prober", "bench-probes", "watch", probe_network.SERVER, FIRST, PROBERS, seconds))
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
            cable.close()
    finally:
        network.remove()
    return attempts, cable.connections, rows


def judge(attempts, connections):
    """The counted failures, and [(attempt, what is wrong with it)] of those."""
    counted = [attempt for attempt in attempts if attempt.verdict not in ("agent late", "errored")]
    found = [(attempt, complaint(attempt, connections[attempt.port])) for attempt in counted]
    for name, ports in (("on time", PROMPT), ("too late", SLOW), ("at the last moment", EDGE)):
        print(f"ports that answer {name}: "
              f"{sum(attempt.port in ports for attempt in counted)} failures counted")
    return counted, [(attempt, why) for attempt, why in found if why]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--hogs", type=int, default=4, help="for each core")
    options = parser.parse_args()
    seconds = round(60 * options.minutes)
    attempts, connections, rows = rage(options.build, seconds, options.hogs)
    print(f"{PROBERS} probers, {seconds} s, {options.hogs * os.cpu_count()} hogs: " + ", ".join(
        f"{name} {value:g} {unit}" for name, (value, unit) in rows.items()))
    counted, wrong = judge(attempts, connections)
    print(f"{len(wrong)} of them should not have been counted")
    for attempt, why in wrong[:SHOWN]:
        print(f"port {attempt.port}, tick {attempt.tick}: {attempt.verdict}, but {why}")
    blind = sum(attempt.port in SLOW for attempt in counted) - len(wrong) < len(SLOW)
    if blind:
        print("the ports that answer too late are not seen to fail: this check is blind")
    return 1 if wrong or blind else 0


if __name__ == "__main__":
    sys.exit(main())
