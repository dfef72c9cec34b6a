"""The agent's client of the API server, driven line by line: see tests/bench/api-client.c."""

import os
import subprocess
import threading
import time

END_SECONDS = 20
WAIT_SECONDS = 30
LOOK_SECONDS = 0.02
SANITIZER = "quarantine_size_mb=1"  # what was freed is not to count as memory that it has


class Driver:
    """`objects` has what the watches of a name tell: {"namespace/name": version}; `events` all of
    it, in order: (name, word, rest)."""

    def __init__(self, build, kubeconfig, log):
        self.log_path = log
        self.objects = {}
        self.complete = {}  # how often, by the name of a watch
        self.answers = {}  # (code, sentence or bytes) of calls; 200: all is well
        self.events = []
        self.changed = threading.Condition()
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                [build / "tests" / "bench" / "api-client", kubeconfig], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=file, text=True, bufsize=1,
                env=dict(os.environ, ASAN_OPTIONS=SANITIZER))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # what it is told

    def watch(self, name, kind, path, selector=""):
        with self.changed:
            self.objects.setdefault(name, {})
            self.complete.setdefault(name, 0)
        self._tell(f"watch {name} {kind} {path} {selector}".rstrip())

    def ask(self, name, method, path, body=""):
        self._tell(f"ask {name} {method} {path} {body}".rstrip())

    def beat(self, name, method, path, body=""):
        self._tell(f"beat {name} {method} {path} {body}".rstrip())

    def _tell(self, line):
        self.process.stdin.write(line + "\n")

    # what it says

    def _read(self):
        for line in self.process.stdout:
            name, word, *rest = line.rstrip("\n").split(" ", 2)
            rest = rest[0] if rest else ""
            with self.changed:
                self.events.append((name, word, rest))
                if word == "set":
                    key, version = rest.rsplit(" ", 1)
                    self.objects[name][key] = version
                elif word == "gone":
                    self.objects[name].pop(rest, None)
                elif word == "complete":
                    self.complete[name] += 1
                elif word == "ok":
                    self.answers[name] = (200, int(rest))
                elif word == "failed":
                    code, sentence = rest.split(" ", 1)
                    self.answers[name] = (int(code), sentence)
                self.changed.notify_all()

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait(self, predicate, what, seconds=WAIT_SECONDS):
        """Until it returns something true, which is returned."""
        deadline = time.monotonic() + seconds
        while not (found := predicate()):
            assert self.process.poll() is None, f"the client ended, waiting for {what}\n{self.log}"
            assert time.monotonic() < deadline, \
                f"waited {seconds} s for {what}\n{self.events[-20:]}\n{self.log[-6000:]}"
            with self.changed:
                self.changed.wait(LOOK_SECONDS)
        return found

    def wait_complete(self, *names, **options):
        self.wait(lambda: all(self.complete[name] for name in names),
                  f"the sets of {', '.join(names[:5])}", **options)

    def wait_answer(self, name, **options):
        return self.wait(lambda: self.answers.get(name), f"the answer to {name}", **options)

    def wait_log(self, text, **options):
        self.wait(lambda: text in self.log, f"\"{text}\" in its log", **options)

    def memory_kib(self):
        """The most that it ever had of the machine's memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            [line] = [line for line in status if line.startswith("VmHWM:")]
        return int(line.split()[1])

    # its end

    def close(self):
        """Asserts that it ends well, which a sanitizer may not find."""
        self.process.stdin.close()
        try:
            code = self.process.wait(END_SECONDS)
        finally:
            self.process.kill()
            self.reader.join()
            self.process.stdout.close()
        assert code == 0, f"the client ended with {code}\n{self.log[-6000:]}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.close()
