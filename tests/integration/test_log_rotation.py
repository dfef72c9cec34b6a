"""Logs of containers that write a lot: they are rotated, and each line is in one of the files."""

import contextlib
import gzip

import pytest

from specs import container, pod, stay

LIMIT = 256 * 1024
CONFIG = {"containerLogMaxSize": "256Ki", "containerLogMonitorInterval": "3s",
          "containerLogMaxFiles": 1000}
CALL_SECONDS = 4
MANY = [f"c{number}" for number in range(8)]

# A thousand numbers at a time, until there is a file "end"; then it says how many there were.
WRITE = ("n=0; while [ ! -e /stage/end ]; do seq $((n + 1)) $((n + 1000)); n=$((n + 1000));"
         " sleep {pause}; done; echo $n > /stage/part-{name}; mv /stage/part-{name} /stage/{name}; ")


def writer(name="main", pause=0.1):
    return container(name, WRITE.format(name=name, pause=pause) + stay(quiet=True))


def pods(agent):
    return [pod("fast", writer(), agent=agent), pod("few", writer(), agent=agent),
            pod("killed", writer(), agent=agent), pod("hung", writer(), agent=agent),
            pod("many", *(writer(name, pause=1) for name in MANY), agent=agent)]


@pytest.fixture(scope="module", autouse=True)
def ready(agent):
    agent.wait_ready("fast", "few", "killed", "hung", "many")


@contextlib.contextmanager
def paused(containerd):
    containerd.pause()
    try:
        yield
    finally:
        containerd.resume()


class Log:
    def __init__(self, agent, name, container="main"):
        self.agent, self.name, self.container = agent, name, container
        [self.directory] = agent.logs.glob(f"default_{name}-{agent.node}_*/{container}")
        self.current = self.directory / "0.log"

    def rotated(self):
        """The oldest first."""
        return sorted(path for path in self.directory.iterdir() if path != self.current)

    def count(self):
        """A file that is being compressed is there twice, for a moment."""
        return len({path.name.removesuffix(".tmp").removesuffix(".gz")
                    for path in self.rotated()})

    def wait_rotated(self, count):
        return self.agent.wait(lambda: self.count() >= count and self.rotated(),
                               f"{count} rotated files of {self.name}", 60)

    def grow(self):
        """Beyond the limit, unseen by an agent that knows the container: it is paused afterwards."""
        self.wait_rotated(self.count() + 1)
        self.agent.wait(self.current.exists, "the log to be opened anew")
        self.agent.pause()
        self.agent.wait(lambda: self.current.stat().st_size > LIMIT, "the log to grow", 60)

    def numbers(self):
        """None while files come and go. A line may be in pieces, even in two files."""
        found, piece = [], b""
        try:
            for path in [*self.rotated(), self.current]:
                text = path.read_bytes()
                text = gzip.decompress(text) if path.suffix == ".gz" else text
                for line in text.splitlines():
                    _, _, tag, rest = line.split(b" ", 3)
                    piece += rest
                    if tag == b"F":
                        found.append(int(piece))
                        piece = b""
        except FileNotFoundError:
            return None
        return found

    def numbers_if_to(self, last):
        def look():
            found = self.numbers()
            return found and found[-1] == last and found
        return look

    def check(self, whole=True):
        """The writer was told to end: each number is there once, and in order; of the first ones
        files may have been removed."""
        stage = self.agent.stages / self.name
        (stage / "end").touch()
        told = stage / self.container
        self.agent.wait(told.exists, "the writer to end")
        last = int(told.read_text())

        found = self.agent.wait(self.numbers_if_to(last), f"{last} in the logs of {self.name}")
        assert [pair for pair in zip(found, found[1:]) if pair[0] + 1 != pair[1]] == []
        assert not whole or found[0] == 1


def test_no_line_is_lost(agent):
    log = Log(agent, "fast")
    log.wait_rotated(4)
    log.check()
    files = agent.wait(lambda: [path for path in log.rotated() if path.suffix != ".gz"] ==
                       log.rotated()[-1:] and log.rotated(), "the older ones to be compressed")
    assert {path.stat().st_mode & 0o777 for path in files} == {0o640}
    assert not list(log.directory.glob("*.tmp"))


def test_the_agent_is_killed_between_two_steps(agent, containerd):
    log = Log(agent, "killed")
    log.grow()
    with paused(containerd):
        agent.resume()
        agent.wait(lambda: not log.current.exists(), "the log to be renamed")
        agent.kill()
    agent.start()
    agent.wait(log.current.exists, "the log to be opened anew")
    # And once more, when not even the call was made.
    agent.kill()
    log.current.rename(log.directory / "0.log.29991231-235959")
    agent.start()
    agent.wait(log.current.exists, "the log to be opened anew")
    log.wait_rotated(3)
    log.check()


def test_a_runtime_that_does_not_open_it_anew(agent, containerd):
    agent.config["runtimeRequestTimeout"] = f"{CALL_SECONDS}s"
    agent.restart()
    log = Log(agent, "hung")
    log.grow()
    count = log.count()
    with paused(containerd):
        agent.resume()
        agent.wait(lambda: not log.current.exists(), "the log to be renamed")
        agent.wait(log.current.exists, "the log to have its name again")
        assert log.count() == count
        agent.wait(lambda: "/main/0.log: the runtime does not open it anew" in agent.log(),
                   "the agent to say so")
    log.wait_rotated(count + 1)
    log.check()
    del agent.config["runtimeRequestTimeout"]
    agent.restart()


def test_many_logs(agent):
    logs = [Log(agent, "many", name) for name in MANY]
    for log in logs:
        log.wait_rotated(1)
    for log in logs:
        log.check()


def test_the_oldest_files_go(agent):
    log = Log(agent, "few")
    log.wait_rotated(3)
    before = log.rotated()
    unfinished = log.directory / f"{before[0].name}.tmp"
    unfinished.touch()
    agent.config["containerLogMaxFiles"] = 3
    agent.restart()
    agent.wait(lambda: log.rotated()[:1] > before[-1:], "the oldest to go", 60)
    assert len(log.rotated()) <= 2
    assert not unfinished.exists()
    log.check(whole=False)


def test_a_log_that_is_a_link_is_left_alone(agent):
    """Of runtimes whose logs are elsewhere."""
    log = Log(agent, "fast")
    target = agent.directory / "elsewhere"
    target.write_bytes(b"x" * 2 * LIMIT)
    log.current.rename(log.directory / "kept")
    log.current.symlink_to(target)
    other = Log(agent, "few")
    count = log.count()
    agent.restart()
    # A look that finds this one looks at the other as well.
    other.current.rename(other.directory / "0.log.29991231-235959")
    agent.wait(other.current.exists, "a look at the logs")
    assert log.current.is_symlink() and log.count() == count
    assert target.stat().st_size == 2 * LIMIT


def test_nothing_is_left(agent):
    names = ("fast", "few", "killed", "hung", "many")
    agent.remove(*names)
    agent.wait_gone(*names)
    assert agent.containerd.leftovers() == []
