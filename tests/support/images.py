"""Container images made here, without a registry: the pod's pause program and a busybox."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAUSE = "nodeagent.dev/pause:1"
EXAMPLE = "nodeagent.dev/example:1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
BUSYBOX_NAMES = ["awk", "cat", "cut", "date", "dd", "echo", "env", "false", "grep", "head",
                 "hostname", "httpd", "id", "kill", "ls", "mkdir", "mount", "mv", "nc", "ps",
                 "readlink", "rm", "seq", "sh", "sleep", "sort", "stat", "tail", "touch", "tr",
                 "true", "wc", "wget", "yes"]


def layer(files):
    """A gzipped tar of {path: (bytes, mode)} or {path: link target}; same bytes every time."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        folders = sorted({str(parent) for path in files for parent in pathlib.Path(path).parents
                          if str(parent) != "."})
        for folder in folders:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size, entry.mode = len(content[0]), content[1]
                tar.addfile(entry, io.BytesIO(content[0]))
    return raw.getvalue(), gzip.compress(raw.getvalue(), mtime=0)


class Image:
    """A manifest and its blobs, by digest."""

    def __init__(self, files, config):
        raw, packed = layer(files)
        self.blobs = {}
        self.manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": self._blob(json.dumps({
                "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
                "os": "linux", "config": config,
                "rootfs": {"type": "layers",
                           "diff_ids": [f"sha256:{hashlib.sha256(raw).hexdigest()}"]},
            }).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [self._blob(packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }

    def _blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def write(self, path, *names):
        """An OCI image layout as a tar, as `ctr images import` takes it."""
        data = json.dumps(self.manifest).encode()
        digest = hashlib.sha256(data).hexdigest()
        manifests = [{"mediaType": MANIFEST_TYPE, "digest": f"sha256:{digest}", "size": len(data),
                      "annotations": {"io.containerd.image.name": name}} for name in names]
        files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
                 "index.json": json.dumps({"schemaVersion": 2, "manifests": manifests}).encode(),
                 f"blobs/sha256/{digest}": data}
        files.update({f"blobs/sha256/{digest}": data for digest, data in self.blobs.items()})
        with tarfile.open(path, "w") as tar:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


def pause_image(scratch):
    program = scratch / "pause"
    subprocess.run(["gcc", "-static", "-Os", "-o", program, ROOT / "packaging/pause/pause.c"],
                   check=True)
    return Image({"pause": (program.read_bytes(), 0o755)}, {"Entrypoint": ["/pause"]})


def example_image(**config):
    """A busybox; what is given goes into the image's config (User="1000", …)."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox is missing: install the package busybox-static"
    files = {"bin/busybox": (pathlib.Path(busybox).read_bytes(), 0o755),
             "tmp/.keep": (b"", 0o644),
             "etc/passwd": (b"root:x:0:0:root:/:/bin/sh\nguest:x:1000:1000::/:/bin/sh\n", 0o644),
             "etc/group": (b"root:x:0:\nguest:x:1000:\nextra:x:2000:guest\n", 0o644)}
    files.update({f"bin/{name}": "busybox" for name in BUSYBOX_NAMES})
    return Image(files, {"Env": ["PATH=/bin"], "Cmd": ["sh"], **config})
