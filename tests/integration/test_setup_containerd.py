"""nodeagent setup containerd: on real containerds, and on the configurations that are in the field.

Where the usual places count, the program runs among them as they are in a mount namespace."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tomllib

import pytest

import agent as agents
import debian
import places
import runtime
from conftest import BUILD, ROOT
from specs import pod, staying

CLIENT = BUILD / "tests" / "bench" / "cri-client"
NODEAGENT_CNI = BUILD / "cni" / "nodeagent-cni"
PRIVATE = "/etc/nodeagent/cni/net.d"
LIST = f"{PRIVATE}/10-nodeagent.conflist"
CONFIG = "/etc/containerd/config.toml"
BACKUP = f"{CONFIG}.nodeagent-backup"
VERSIONS = runtime.VERSIONS
CRI = '[plugins."io.containerd.grpc.v1.cri".cni]'
CRI_2 = "[plugins.'io.containerd.cri.v1.runtime'.cni]"

# What Docker's package has: nothing but comments, and no CRI plugin.
DOCKER = """\
#   (a licence)

disabled_plugins = ["cri"]

#root = "/var/lib/containerd"
#state = "/run/containerd"

#[grpc]
#  address = "/run/containerd/containerd.sock"
"""

DEBIAN = """\
version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"
"""


# a machine of its own


class Machine:
    """Its /etc, /opt and /usr/lib/cni are directories of the test's."""

    def __init__(self, program):
        self.program = program
        self.directory = places.make(parent=places.ROOTS)
        self.mounts = {"/etc": "etc", "/opt": "opt", "/usr/lib/cni": "cni"}
        for name in self.mounts.values():
            (self.directory / name).mkdir()
        self.write("/opt/cni/bin/loopback", "#!/bin/sh\n").chmod(0o755)
        self.write("/usr/lib/cni/loopback", "#!/bin/sh\n").chmod(0o755)

    def path(self, path):
        for mount, name in self.mounts.items():
            if path.startswith(f"{mount}/"):
                return self.directory / name / path[len(mount) + 1:]
        raise AssertionError(path)

    def write(self, path, text):
        place = self.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        return place

    def read(self, path):
        return self.path(path).read_bytes().decode()

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def run(self, *command):
        mounts = "".join(f"mount --rbind {self.directory}/{name} {mount} && "
                         for mount, name in self.mounts.items())
        return subprocess.run(["unshare", "-m", "sh", "-c", f'{mounts} exec "$@"', "sh",
                               *map(str, command)], capture_output=True, text=True, timeout=60)

    def setup(self, *options, containerd=None, code=0):
        if containerd:
            options = (*options, "--containerd", debian.programs(containerd) / "containerd")
        result = self.run("env", "PATH=/usr/sbin:/sbin", self.program, "setup", "containerd",
                          *options)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        assert "Sanitizer" not in result.stderr, result.stderr
        return result.stdout + result.stderr

    def dump(self, version):
        result = self.run(debian.programs(version) / "containerd", "config", "dump")
        assert result.returncode == 0, result.stderr
        return result.stdout

    def conf_dir(self, version):
        return re.search(r"cni'?\"?\]\n(?:.*\n){0,3}? *conf_dir = ['\"](.*)['\"]",
                         self.dump(version))[1]

    def files(self):
        return {str(path.relative_to(self.directory)): path.read_bytes() if path.is_file() else None
                for path in sorted(self.directory.rglob("*"))}


@pytest.fixture
def machine(program):
    instance = Machine(program)
    yield instance
    places.remove(instance.directory)


def default_config(version):
    return subprocess.run([debian.programs(version) / "containerd", "config", "default"],
                          capture_output=True, text=True, check=True).stdout


def changed_lines(before, after):
    before, after = before.splitlines(), after.splitlines()
    return ([line for line in before if line not in after],
            [line for line in after if line not in before])


# pods


class Between:
    """A private containerd whose network can be put behind nodeagent-cni."""

    def __init__(self, program, containerd):
        self.program = program
        self.containerd = containerd
        self.directory = containerd.directory
        self.config = self.directory / "config.toml"
        self.plugins = self.directory / "bin"
        self.plugins.mkdir()
        for plugin in runtime.CNI_PROGRAMS.iterdir():
            (self.plugins / plugin.name).symlink_to(plugin)
        self.config.write_text(self.config.read_text().replace(f'"{runtime.CNI_PROGRAMS}"',
                                                               f'"{self.plugins}"'))
        self.agent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.agent.bind(str(self.directory / "agent.sock"))
        self.agent.setblocking(False)

    def setup(self, *options, code=0):
        result = subprocess.run(
            [self.program, "setup", "containerd", "--config", self.config, "--containerd",
             self.containerd.programs / "containerd", "--conf-dir", self.directory / "private",
             *options], capture_output=True, text=True, timeout=60)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result.stdout

    def told(self):
        """The verbs and networks that nodeagent-cni told the agent of."""
        told = set()
        try:
            while True:
                call = json.loads(self.agent.recv(1 << 16))
                told.add((call["verb"], call["network"]))
        except BlockingIOError:
            return told


@pytest.mark.parametrize("drop_in", [False, True], ids=["in-place", "drop-in"])
@pytest.mark.parametrize("version", VERSIONS)
def test_pods(program, version, drop_in):
    """Pods get their network through nodeagent-cni when containerd was restarted, and not before,
    and not after an undo. A drop-in is for containerd 2."""
    with runtime.private(version, parent=places.ROOTS) as containerd:
        between = Between(program, containerd)
        network = places.bridge(containerd.directory)
        if drop_in:
            between.config.write_text(f'imports = ["{between.directory}/conf.d/*.toml"]\n'
                                      + between.config.read_text())
        before = between.config.read_bytes()
        assert "conf_dir is" in between.setup("--check", code=1)
        options = ("--cache-dir", between.directory / "cache",
                   "--agent-socket", between.directory / "agent.sock")
        assert "restart containerd" in between.setup(*options)
        assert (between.directory / "conf.d/nodeagent.toml").exists() == (
            drop_in and version == "2")
        assert (between.config.read_bytes() == before) == (drop_in and version == "2")
        assert "wrong" not in between.setup("--check")
        assert "nothing to do" in between.setup()
        listed, = json.loads((between.directory / "private/10-nodeagent.conflist").read_text())[
            "plugins"]
        assert listed["confDir"] == str(between.directory / "cni/conf")
        containerd.restart()
        containerd.run_pods(CLIENT, "--pods=2", "--flight=2")
        assert between.told() == {("ADD", network), ("DEL", network)}
        assert containerd.leftovers() == []
        assert list((between.directory / "cache/results").iterdir()) == []
        between.setup("--undo")
        assert between.config.read_bytes() == before
        assert not (between.directory / "conf.d/nodeagent.toml").exists()
        assert "nothing to do" in between.setup("--undo")
        containerd.restart()
        containerd.run_pods(CLIENT)
        assert between.told() == set()
        assert containerd.leftovers() == []


@pytest.mark.parametrize("version", ["1.6", "2"])
def test_pods_that_live_through_it(program, version):
    """A pod of before is removed by nodeagent-cni, and a pod of nodeagent-cni by containerd, from
    one another's records."""
    with runtime.private(version, parent=places.ROOTS) as containerd:
        between = Between(program, containerd)
        network = places.bridge(containerd.directory)
        lock = places.CNI_CACHE / "nodeagent.lock"
        locked = lock.exists()
        agent = agents.Agent(containerd, BUILD)
        try:
            agent.start()
            agent.add(pod("before", staying("main"), agent=agent))
            agent.wait_ready("before")
            between.setup("--agent-socket", between.directory / "agent.sock")
            containerd.restart()
            agent.add(pod("after", staying("main"), agent=agent))
            agent.wait_ready("after")
            agent.remove("before")
            agent.wait_gone("before")
            assert len(places.addresses(containerd.directory)) == 1
            assert {("ADD", network), ("DEL", network)} <= between.told()
            between.setup("--undo")
            containerd.restart()
            agent.remove("after")
            agent.wait_gone("after")
            assert between.told() == set()
            assert containerd.leftovers() == []
            assert list((places.CNI_CACHE / "results").glob(f"{network}-*")) == []
        finally:
            agent.kill()
            if not locked:
                lock.unlink(missing_ok=True)


# configurations


LAYOUTS = {
    "dots": 'plugins."io.containerd.grpc.v1.cri".cni.bin_dir = "/opt/cni/bin"\n',
    "dots in a table": '[plugins."io.containerd.grpc.v1.cri"]\n'
                       "  cni.max_conf_num = 1 # one\n  cni.bin_dir = '/opt/cni/bin'",
    "value by dots": "[plugins]\n'io.containerd.grpc.v1.cri'.cni.conf_dir = '/etc/cni/net.d'\n",
    "spaces": "[ plugins . 'io.containerd.grpc.v1.cri' . cni ]\r\n\tbin_dir\t=\t'/opt/cni/bin'\r\n",
    "inline table": "[plugins.'io.containerd.grpc.v1.cri']\n"
                    "cni = { bin_dir = '/opt/cni/bin', conf_dir = '/etc/cni/net.d' }\n",
    "tables before": '[plugins."io.containerd.grpc.v1.cri".cni]\n'
                     '[plugins."io.containerd.grpc.v1.cri"]\nrestrict_oom_score_adj = true\n',
    "strings": '[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = """\n[cni]\n\\""""\n'
               "unset_seccomp_profile = '''\n[[x]\n'''\n",
    "no final newline": '[plugins."io.containerd.grpc.v1.cri".cni]',
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(machine, layout, version):
    """Only conf_dir has another value, for containerd and for another reader of TOML."""
    text = f"version = 2\n{LAYOUTS[layout]}"
    machine.write(CONFIG, text)
    machine.setup(containerd=version)
    assert machine.conf_dir(version) == PRIVATE
    before, after = tomllib.loads(text), tomllib.loads(machine.read(CONFIG))
    table = before["plugins"]["io.containerd.grpc.v1.cri"].setdefault("cni", {})
    assert table.get("conf_dir", "/etc/cni/net.d") == "/etc/cni/net.d"
    table["conf_dir"] = PRIVATE
    assert after == before
    machine.setup("--undo", containerd=version)
    assert machine.read(CONFIG) == text


@pytest.mark.parametrize("version", VERSIONS)
def test_the_default_configuration(machine, version):
    """What kubeadm's documentation has one begin with: a line changes, and comes back."""
    text = default_config(version)
    machine.write(CONFIG, text)
    report = machine.setup("--check", containerd=version, code=1)
    assert report.count("wrong: ") == 3
    dry = machine.setup("--dry-run", containerd=version)
    assert machine.read(CONFIG) == text and not machine.exists(LIST)
    done = machine.setup(containerd=version)
    before, after = changed_lines(text, machine.read(CONFIG))
    assert [line.split("=")[0].strip() for line in before + after] == ["conf_dir", "conf_dir"]
    for line, sign in ((before[0], "-"), (after[0], "+")):
        assert f"    {sign} {line}\n" in dry and f"    {sign} {line}\n" in done
    assert machine.read(BACKUP) == text
    assert machine.conf_dir(version) == PRIVATE
    assert machine.setup("--check", containerd=version).count("good: ") == 3
    files = machine.files()
    assert machine.setup(containerd=version) == "nothing to do\n"
    assert machine.files() == files
    machine.setup("--undo", containerd=version)
    assert machine.read(CONFIG) == text
    machine.setup("--check", containerd=version, code=1)


@pytest.mark.parametrize("version", VERSIONS)
def test_debians_configuration(machine, version):
    """Of version 2, which containerd 2 reads as well; a drop-in of version 3 would undo it."""
    machine.write(CONFIG, f'imports = ["/etc/containerd/conf.d/*.toml"]\n{DEBIAN}')
    machine.setup(containerd=version)
    assert machine.conf_dir(version) == PRIVATE
    assert "/usr/lib/cni" in machine.dump(version)
    assert os.readlink(machine.path("/usr/lib/cni/nodeagent-cni")) == str(NODEAGENT_CNI.resolve())


@pytest.mark.parametrize("version", VERSIONS)
def test_dockers_configuration(machine, version):
    machine.write(CONFIG, DOCKER)
    files = machine.files()
    for options in ([], ["--check"], ["--dry-run"]):
        said = machine.setup(*options, containerd=version, code=1)
        assert ("wrong: /etc/containerd/config.toml: disabled_plugins names the CRI plugin, without "
                "which containerd runs no pods: take it out of the list") in said
    assert machine.files() == files


@pytest.mark.parametrize("version", ["1.6", "1.7"])
def test_version_1(machine, version):
    """Docker's, with CRI: no version is version 1, with other names."""
    text = DOCKER.replace('"cri"', "")
    machine.write(CONFIG, text)
    machine.setup(containerd=version)
    assert machine.read(CONFIG) == f'{text}\n[plugins.cri.cni]\n  conf_dir = "{PRIVATE}"\n'
    assert machine.conf_dir(version) == PRIVATE
    machine.setup("--undo", containerd=version)
    assert machine.read(CONFIG) == text


def test_version_1_on_containerd_2(machine):
    """It does not read the names of version 1, so nothing comes of the change."""
    text = DOCKER.replace('"cri"', "")
    machine.write(CONFIG, text)
    said = machine.setup(containerd="2", code=1)
    assert "/etc/containerd/config.toml is as it was: containerd makes /etc/cni/net.d of" in said
    assert "a file of version 1 (\"containerd config migrate\" prints a newer one)" in said
    assert machine.read(CONFIG) == text
    assert not machine.exists(BACKUP)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_configuration(machine, version):
    machine.setup("--check", containerd=version, code=1)
    machine.setup(containerd=version)
    number = 3 if version == "2" else 2
    assert f"version = {number}\n" in machine.read(CONFIG)
    assert machine.conf_dir(version) == PRIVATE
    assert "wrong" not in machine.setup("--check", containerd=version)
    assert not machine.exists(BACKUP)
    machine.setup("--undo", containerd=version)
    assert not machine.exists(CONFIG)


def test_without_containerd(machine):
    """The file alone is believed."""
    machine.write(CONFIG, DEBIAN)
    assert "note: containerd itself was not asked" in machine.setup("--check", code=1)
    assert "note: no containerd was found" in machine.setup()
    assert machine.read(CONFIG) == DEBIAN.replace("/etc/cni/net.d", PRIVATE)
    machine.setup("--check")
    machine.setup("--undo")
    assert machine.read(CONFIG) == DEBIAN


# drop-ins and imports


def test_shipped_files(machine):
    """What is in packaging/containerd is what the command makes."""
    machine.write(CONFIG, 'version = 3\nimports = ["conf.d/*.toml"]\n')
    machine.setup(containerd="2")
    shipped = ROOT / "packaging" / "containerd"
    assert machine.read(LIST) == (shipped / "10-nodeagent.conflist").read_text()
    assert machine.read("/etc/containerd/conf.d/nodeagent.toml") == (
        shipped / "nodeagent.toml").read_text()


def test_drop_in_has_the_last_word(machine):
    """Installers write whole tables of plugins into theirs, which begin with digits."""
    config = 'version = 3\nimports = ["/etc/containerd/other.toml", "/etc/containerd/conf.d/*.toml"]\n'
    machine.write(CONFIG, config)
    machine.write("/etc/containerd/other.toml", f"version = 3\n{CRI_2}\nconf_dir = '/other'\n")
    machine.write("/etc/containerd/conf.d/99-a.toml", f"version = 3\n{CRI_2}\nmax_conf_num = 5\n"
                  "conf_dir = '/a'\n")
    machine.setup(containerd="2")
    assert machine.conf_dir("2") == PRIVATE
    assert "max_conf_num = 5" in machine.dump("2")
    assert machine.read(CONFIG) == config
    assert json.loads(machine.read(LIST))["plugins"][0]["confDir"] == "/a"
    drop_in = machine.read("/etc/containerd/conf.d/nodeagent.toml")
    more = f"{drop_in}  setup_serially = true\n"
    machine.write("/etc/containerd/conf.d/nodeagent.toml", more)
    machine.setup("--undo", containerd="2")  # what is not ours stays
    assert "setup_serially = true" in machine.read("/etc/containerd/conf.d/nodeagent.toml")
    assert machine.conf_dir("2") == "/a"


def test_undo_of_both(machine):
    """A drop-in, and the file that imports it."""
    config = f'version = 3\nimports = ["conf.d/*.toml"]\n{CRI_2}\nconf_dir = "{PRIVATE}"\n'
    machine.write(CONFIG, config.replace("imports", "oom_score = 1\nimports"))
    drop_in = machine.write("/etc/containerd/conf.d/nodeagent.toml",
                            f"version = 3\n{CRI_2}\nconf_dir = '{PRIVATE}'\n# mine\n")
    drop_in.chmod(0o600)
    machine.setup("--undo", containerd="2")
    assert drop_in.read_text() == f"version = 3\n{CRI_2}\n# mine\n"
    assert drop_in.stat().st_mode & 0o777 == 0o600
    assert "conf_dir" not in machine.read(CONFIG)
    assert machine.conf_dir("2") == "/etc/cni/net.d"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_imported_says_something_else(machine, version):
    """By 1.x it replaces the plugin's table, by 2 it has the last word."""
    number, table = (3, CRI_2) if version == "2" else (2, CRI)
    text = f'version = {number}\nimports = ["/etc/containerd/zz.toml"]\n{table}\nbin_dir = "/opt/cni/bin"\n'
    machine.write(CONFIG, text)
    machine.write("/etc/containerd/zz.toml", f'version = {number}\n{table}\nconf_dir = "/other"\n')
    said = machine.setup(containerd=version, code=1)
    assert "is as it was: containerd makes /other of conf_dir with it: a file that" in said
    assert machine.read(CONFIG) == text
    assert not machine.exists(BACKUP)
    machine.write(CONFIG, f'{text}conf_dir = "{PRIVATE}"\n')
    said = machine.setup(containerd=version, code=1)
    assert f"says that conf_dir is {PRIVATE}, but containerd makes /other of it" in said


@pytest.mark.parametrize("version", ["1.7", "2"])
def test_a_file_that_imports_itself(machine, version):
    """As images of cluster API have it."""
    text = DEBIAN.replace("version = 2", 'version = 2\nimports = ["/etc/containerd/config.toml"]')
    machine.write(CONFIG, text)
    machine.setup(containerd=version)
    assert machine.conf_dir(version) == PRIVATE


# files


def test_link_mode_and_owner_stay(machine):
    real = machine.write("/etc/real/containerd.toml", DEBIAN)
    real.chmod(0o640)
    os.chown(real, 0, 7)
    machine.path(CONFIG).parent.mkdir()
    machine.path(CONFIG).symlink_to("../real/containerd.toml")
    machine.setup(containerd="1.7")
    assert machine.path(CONFIG).is_symlink()
    for path in (real, real.with_name("containerd.toml.nodeagent-backup")):
        status = path.stat()
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, 0, 7)
    assert sorted(path.name for path in machine.path(CONFIG).parent.iterdir()) == ["config.toml"]
    machine.setup("--undo", containerd="1.7")
    assert real.read_text() == DEBIAN


def test_layout_stays(machine):
    """Comments, the ends of lines and a last line without one."""
    text = DEBIAN.replace("\n", "\r\n").replace("conf_dir", "# it\r\n      conf_dir").rstrip()
    machine.write(CONFIG, text)
    machine.setup(containerd="1.7")
    assert machine.read(CONFIG) == text.replace("/etc/cni/net.d", PRIVATE)


def test_backups(machine):
    """Of each content one, and an undo goes by the newest."""
    machine.write(CONFIG, DEBIAN)
    machine.setup(containerd="1.7")
    machine.setup("--undo", containerd="1.7")
    machine.setup(containerd="1.7")
    assert not machine.exists(f"{BACKUP}.1")
    other = DEBIAN.replace("/etc/cni/net.d", "/etc/other")
    machine.write(CONFIG, other)
    machine.setup(containerd="1.7")
    assert (machine.read(BACKUP), machine.read(f"{BACKUP}.1")) == (DEBIAN, other)
    changed = f"oom_score = 0\n{machine.read(CONFIG)}"
    machine.write(CONFIG, changed)
    machine.setup("--undo", containerd="1.7")  # what was changed since stays
    assert machine.read(CONFIG) == f"oom_score = 0\n{other}"


def test_undo_without_a_backup(machine):
    """Nobody knows what it was: then it is as containerd has it by itself."""
    text = DEBIAN.replace("/etc/cni/net.d", PRIVATE)
    machine.write(CONFIG, text)
    machine.setup("--undo", containerd="1.7")
    assert machine.read(CONFIG) == text.replace(f'      conf_dir = "{PRIVATE}"\n', "")
    assert machine.conf_dir("1.7") == "/etc/cni/net.d"


def test_the_list(machine):
    """What is said once stays said; what is as usual is not said."""
    def plugin():
        found, = json.loads(machine.read(LIST))["plugins"]
        assert found.pop("type") == "nodeagent-cni"
        assert all(found.pop("capabilities").values())
        return found

    machine.write(CONFIG, DEBIAN)
    machine.setup("--public-conf-dir=/etc/cni/other/", "--bin-dir=/opt/a,/opt/b", "--built-in",
                  "--cache-dir=/var/lib/cni", "--agent-socket=/run/x.sock", containerd="1.7")
    wanted = {"confDir": "/etc/cni/other", "binDirs": ["/opt/a", "/opt/b"],
              "agentSocket": "/run/x.sock", "builtIn": {"subnets": ["10.85.0.0/16"]}}
    assert plugin() == wanted
    assert machine.setup(containerd="1.7") == "nothing to do\n"
    machine.setup("--built-in=10.1.0.0/16,fd85::/64", "--public-conf-dir=/etc/cni/net.d",
                  containerd="1.7")
    wanted["builtIn"] = {"subnets": ["10.1.0.0/16", "fd85::/64"]}
    del wanted["confDir"]
    assert plugin() == wanted
    machine.setup("--built-in=none", containerd="1.7")
    del wanted["builtIn"]
    assert plugin() == wanted
    machine.write(LIST, "{")
    assert f"wrong: {LIST} is not as it should be" in machine.setup("--check", containerd="1.7",
                                                                   code=1)
    machine.setup(containerd="1.7")
    assert plugin() == {}


# what is wrong


def test_other_problems(machine):
    machine.write(CONFIG, DEBIAN.replace(
        "bin_dir =", 'conf_template = "/etc/template"\n      bin_dir =') + """\
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
    runtime_type = "io.containerd.kata.v2"
    cni_conf_dir = "/etc/cni/kata"
""")
    machine.write(f"{PRIVATE}/05-other.conf", "{}")
    machine.path("/usr/lib/cni/loopback").unlink()
    said = machine.setup(containerd="1.7", code=1)
    for sentence in ("conf_template /etc/template",
                     "pods of the runtime kata get their network from /etc/cni/kata",
                     f"{PRIVATE}/05-other.conf is in the directory that is for",
                     "there is no plugin loopback in /usr/lib/cni"):
        assert sentence in said
    assert machine.conf_dir("1.7") == PRIVATE
    assert machine.setup("--check", containerd="1.7", code=1).count("wrong: ") == 4


@pytest.mark.parametrize("text, sentence", [
    ('version = "2', "config.toml:1: a string does not end in its line"),
    ("version = two\n", "config.toml:1: version must be a number from 1 to 9"),
    ("version = 3\nimports = 'x'\n", "config.toml:2: imports must be a list of strings"),
    ("a = 1 b = 2\n", "config.toml:1: there is more in the line than one statement"),
    ("a = '\xff'\n".encode("latin-1"), "config.toml: is not a text in UTF-8"),
])
def test_what_is_not_understood(machine, text, sentence):
    machine.write(CONFIG, "")
    machine.path(CONFIG).write_bytes(text if isinstance(text, bytes) else text.encode())
    files = machine.files()
    for options in ([], ["--check"], ["--undo"]):
        assert sentence in machine.setup(*options, containerd="1.7", code=3)
    assert machine.files() == files


def test_what_cannot_be_read(machine):
    machine.path(CONFIG).mkdir(parents=True)
    assert "config.toml" in machine.setup("--check", code=3)
    machine.path(CONFIG).rmdir()
    machine.path(CONFIG).symlink_to("nowhere")
    assert "cannot read /etc/containerd/config.toml: No such file" in machine.setup(code=3)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_containerd_does_not_load(machine, version):
    machine.write(CONFIG, 'version = 2\noom_score = "x"\n')
    files = machine.files()
    said = machine.setup(containerd=version, code=1)
    assert "does not load /etc/containerd/config.toml: " in said and "; mend it first" in said
    assert machine.files() == files


def test_what_cannot_be_changed_safely(machine):
    text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\ncni = { bin_dir = "/usr/lib/cni" }\n'
    machine.write(CONFIG, text)
    said = machine.setup(containerd="1.7", code=1)
    assert "/etc/containerd/config.toml:3: " in said and "write that as a table" in said
    assert machine.read(CONFIG) == text


def test_a_program_that_is_not_containerd(machine):
    machine.write(CONFIG, DEBIAN)
    machine.write("/opt/containerd", "#!/bin/sh\necho nonsense\n").chmod(0o755)
    said = machine.setup("--containerd=/opt/containerd", code=1)
    assert "what containerd makes of it:1: \"=\" is expected after a name" in said
    assert "No such file" in machine.setup("--containerd=/opt/none", code=1)
    assert machine.read(CONFIG) == DEBIAN


def test_a_change_that_does_not_load(machine):
    """containerd sees what is to be written before it is; here it is one with a whim."""
    machine.write(CONFIG, DEBIAN)
    machine.write("/opt/containerd", f"""#!/bin/sh
case $2 in
*candidate) echo begin >&2; echo 'no, not this' >&2; exit 1 ;;
*) {debian.programs("1.7") / "containerd"} "$@" ;;
esac
""").chmod(0o755)
    said = machine.setup("--containerd=/opt/containerd", code=1)
    assert ("/etc/containerd/config.toml is as it was, since what it was to become does not do: "
            "/opt/containerd does not load /etc/containerd/.nodeagent-candidate: no, not this"
            ) in said
    assert machine.read(CONFIG) == DEBIAN
    assert os.listdir(machine.path(CONFIG).parent) == ["config.toml"]


def test_a_full_disk(machine):
    """What is there stays whole."""
    machine.write(CONFIG, DEBIAN)
    small = machine.path(CONFIG).parent
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=755", "tmpfs", small], check=True)
    try:
        machine.write(CONFIG, DEBIAN)
        (small / "filler").write_bytes(bytes(4096))
        said = machine.setup(containerd="1.7", code=1)
        assert "No space left on device" in said
        assert machine.read(CONFIG) == DEBIAN
        assert sorted(os.listdir(small)) == ["config.toml", "filler"]
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("options, sentence", [
    ([], "say what is to be set up: containerd"),
    (["docker"], 'only containerd can be set up, not "docker"'),
    (["containerd", "x"], 'unexpected argument "x"'),
    (["containerd", "--check", "--undo"], "exclude one another"),
    (["containerd", "--config", "x"], '--config takes an absolute path, not "x"'),
    (["containerd", "--conf-dir", "/a\nb"], "--conf-dir takes an absolute path"),
    (["containerd", "--bin-dir", "/a,b"], '--bin-dir takes absolute paths, not "b"'),
    (["containerd", "--bin-dir", "/a,"], '--bin-dir takes absolute paths, not "/a,"'),
    (["containerd", "--built-in=10.0.0.1/8"], '--built-in: "10.0.0.1/8": each '),
    (["containerd", "--built-in=10.0.0.0/8,11.0.0.0/8"], "each may have one of each family"),
    (["containerd", "--public-conf-dir", PRIVATE], "cannot be where networks are"),
    (["containerd", "--nonsense"], "unknown option --nonsense"),
    (["containerd", "--config"], "--config needs a value"),
])
def test_usage(nodeagent, options, sentence):
    result = nodeagent("setup", *options)
    assert result.returncode == 2
    assert sentence in result.stderr.decode()


def test_help(nodeagent):
    result = nodeagent("setup", "--help")
    assert result.returncode == 0
    assert b"Usage: nodeagent setup containerd" in result.stdout
