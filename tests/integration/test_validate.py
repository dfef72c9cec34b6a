"""nodeagent validate from outside: its words, its exit codes, and what it does with bad input."""

import json
import os
import pathlib
import resource
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: registry.example.com/web:1.4
"""


def lines(result):
    return result.stdout.decode().splitlines()


def findings(result):
    """[(level, reason, field, line, column)] of a run with -o json."""
    return [(finding["level"], finding["reason"], finding["field"], finding["line"],
             finding["column"])
            for document in json.loads(result.stdout)["documents"]
            for finding in document["findings"]]


# what it says


def test_the_examples_are_accepted(nodeagent):
    result = nodeagent("validate", ROOT / "packaging" / "examples")
    assert result.returncode == 0, result.stdout
    assert "refused: 0" not in result.stdout.decode()
    assert lines(result)[-1].endswith("0 refused; 0 warnings")


def test_every_error_is_named_with_its_place(nodeagent, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(POD.replace("name: web\nspec", "name: Web\nspec")
                    .replace("image: registry.example.com/web:1.4",
                             'image: ""\n    imagePullPolicy: always\n    prots: []'))
    result = nodeagent("validate", path)
    assert result.returncode == 1
    assert lines(result) == [
        f"{path}:10:5: warning: spec.containers[0].prots: unknown field; did you mean ports?",
        f'{path}:4:9: metadata.name: "Web" must be a DNS subdomain: at most 253 lower-case '
        'letters, digits, "-" and ".", each part beginning and ending with a letter or digit',
        f"{path}:8:12: spec.containers[0].image: must not be empty",
        f'{path}:9:22: spec.containers[0].imagePullPolicy: "always" is not supported; use Always, '
        "IfNotPresent or Never (did you mean Always?)",
        f"{path}:1: v1 Pod Web: refused: 3 errors, 1 warning",
        "1 document: 0 accepted, 1 refused; 1 warning",
    ]


def test_json_output_is_complete(nodeagent):
    result = nodeagent("validate", "-o", "json", "-",
                       stdin=POD.replace("  name: web", "  namespace: shop\n  nam: web", 1))
    answer = json.loads(result.stdout)
    assert result.returncode == 1
    assert answer["summary"] == {"accepted": 0, "refused": 1, "unchecked": 0, "unreadable": 0,
                                 "errors": 1, "warnings": 1}
    document = answer["documents"][0]
    assert (document["file"], document["line"], document["kind"], document["namespace"],
            document["verdict"]) == ("-", 1, "Pod", "shop", "refused")
    assert findings(result) == [("warning", "UnknownField", "metadata.nam", 5, 3),
                                ("error", "Required", "metadata.name", 4, 3)]


def test_columns_count_characters(nodeagent):
    text = POD.replace("metadata:\n  name: web", 'metadata: {labels: {"ключ": x}, name: WEB}')
    result = nodeagent("validate", "-o", "json", "-", stdin=text)
    places = {field: column for _, _, field, _, column in findings(result)}
    assert places["metadata.name"] == len('metadata: {labels: {"ключ": x}, name: ') + 1


def test_strict_refuses_unknown_and_repeated_fields(nodeagent):
    unknown = POD + "  hostnetwork: true\n"
    repeated = POD + "  hostNetwork: true\n  hostNetwork: false\n"
    for text in (unknown, repeated):
        assert nodeagent("validate", "-", stdin=text).returncode == 0
        result = nodeagent("validate", "--strict", "-o", "json", "-", stdin=text)
        assert result.returncode == 1
        assert [finding[0] for finding in findings(result)] == ["error"]


def test_a_repeated_field_names_the_first_place(nodeagent):
    result = nodeagent("validate", "-", stdin=POD + "  hostPID: true\n  hostPID: false\n")
    assert ("-:10:3: warning: spec.hostPID: is set twice, first at line 9 column 3; the last one "
            "wins") in lines(result)


def test_what_a_static_pod_may_not_contain_is_a_warning(nodeagent):
    result = nodeagent("validate", "-o", "json", "-",
                       stdin=POD + "  serviceAccountName: web\n  volumes:\n  - name: c\n"
                       "    configMap: {name: web}\n")
    assert result.returncode == 0
    assert [(finding[1], finding[2]) for finding in findings(result)] == [
        ("NotInStaticPod", "spec.serviceAccountName"),
        ("NotInStaticPod", "spec.volumes[0].configMap")]


def test_documents_are_told_apart(nodeagent):
    text = "---\n".join([POD, "a: [\n", POD.replace("kind: Pod", "kind: Pood"),
                         "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\n",
                         "# nothing\n", POD])
    result = nodeagent("validate", "-o", "json", "-", stdin=text)
    documents = json.loads(result.stdout)["documents"]
    assert [document["verdict"] for document in documents] == [
        "accepted", "refused", "refused", "unchecked", "accepted"]
    assert result.returncode == 1


def test_items_of_lists_are_checked(nodeagent):
    pods = [{"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "a"}]}},
            {"metadata": {"name": "B"}, "spec": {"containers": []}}]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        dict(pod, apiVersion="v1", kind="Pod") for pod in pods]})
    result = nodeagent("validate", "-", stdin=text)
    assert result.returncode == 1
    output = result.stdout.decode()
    assert "items[1].metadata.name:" in output and "items[1].spec.containers:" in output
    assert "items[0]: v1 Pod a: accepted" in output


def test_a_list_of_pods_says_what_its_items_are(nodeagent):
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": ""}]}}
    text = json.dumps({"apiVersion": "v1", "kind": "PodList", "itmes": 1, "items": [pod]})
    result = nodeagent("validate", "-o", "json", "-", stdin=text)
    documents = json.loads(result.stdout)["documents"]
    assert [document["kind"] for document in documents] == ["PodList", "Pod"]
    assert [finding[2] for finding in findings(result)] == ["itmes",
                                                            "spec.containers[0].image"]
    assert nodeagent("validate", "-", stdin='{"apiVersion":"v2","kind":"List","items":[]}'
                     ).returncode == 1


def test_all_findings_are_counted(nodeagent):
    text = POD + "".join(f"  unknown{i}: x\n" for i in range(1500))
    plain = json.loads(nodeagent("validate", "-o", "json", "-", stdin=text).stdout)
    strict = json.loads(nodeagent("validate", "--strict", "-o", "json", "-", stdin=text).stdout)
    assert (plain["documents"][0]["errors"], plain["documents"][0]["warnings"]) == (0, 1500)
    assert (strict["documents"][0]["errors"], strict["documents"][0]["warnings"]) == (1500, 0)
    assert len(plain["documents"][0]["findings"]) == 1000


def test_a_file_whose_name_is_no_utf8(nodeagent, tmp_path):
    path = os.fsencode(tmp_path) + b"/b\xff.yaml"
    pathlib.Path(os.fsdecode(path)).write_text(POD)
    answer = json.loads(nodeagent("validate", "-o", "json", tmp_path).stdout)
    assert answer["documents"][0]["file"] == f"{tmp_path}/b\\xff.yaml"


def test_a_directory_is_read_like_a_manifest_directory(nodeagent, tmp_path):
    for name in ("b.yaml", "a.json", "c.yaml~", ".hidden.yaml"):
        (tmp_path / name).write_text(POD)
    (tmp_path / "a.json").write_text(json.dumps({"apiVersion": "v1", "kind": "Pod",
                                                 "metadata": {"name": "a"}, "spec": {
                                                     "containers": [{"name": "a", "image": "a"}]}}))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.yaml").write_text("kind: 1")
    os.mkfifo(tmp_path / "fifo")
    result = nodeagent("validate", "-o", "json", tmp_path)
    files = [document["file"] for document in json.loads(result.stdout)["documents"]]
    assert files == [f"{tmp_path}/{name}" for name in ("a.json", "b.yaml", "c.yaml~")]
    assert result.returncode == 0


# usage


@pytest.mark.parametrize("arguments, complaint", [
    ([], "Usage: nodeagent COMMAND"),
    (["vlidate"], "did you mean validate?"),
    (["validate"], "name a file, a directory, or - for standard input"),
    (["validate", "--strcit", "x"], "unknown option --strcit"),
    (["validate", "-x", "x"], "unknown option -x"),
    (["validate", "-xz", "x"], "unknown option -x"),
    (["validate", "\x1b[31m", "--\x1b[31m"], "unknown option --?[31m"),
    (["validate", "-o", "xml", "x"], "-o takes text or json"),
    (["validate", "-o"], "-o needs a value"),
    (["version", "x"], "unexpected argument"),
    (["--version", "x"], "unexpected argument"),
    (["\x1b[31m"], 'no command "?[31m"'),
    (["help", "nothing"], "no command"),
])
def test_wrong_usage_is_2_and_says_what_is_right(nodeagent, arguments, complaint):
    result = nodeagent(*arguments)
    assert result.returncode == 2
    assert complaint in result.stderr.decode()
    assert not result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["validate", "--help"], ["-h"],
                                       ["help", "validate"], ["version", "--help"]])
def test_help_is_on_standard_output(nodeagent, arguments):
    result = nodeagent(*arguments)
    assert result.returncode == 0
    assert result.stdout.startswith(b"Usage: nodeagent")
    assert all(len(line) <= 90 for line in lines(result))


def test_version(nodeagent):
    assert nodeagent("version").stdout == nodeagent("--version").stdout
    assert b"Kubernetes 1.36" in nodeagent("version").stdout


def test_output_that_cannot_be_written_is_an_error(program):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([program, "validate", ROOT / "packaging" / "examples"], stdout=full,
                                stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert b"cannot write the output: No space left on device" in result.stderr


# bad input


def refused(nodeagent, text, **options):
    """The findings of an input that must be refused without a crash and without a hang."""
    result = nodeagent("validate", "-o", "json", "-", stdin=text, **options)
    assert result.returncode == 1, result.stderr[-2000:]
    assert not result.stderr, result.stderr[-2000:].decode()
    answer = json.loads(result.stdout)
    return [finding["message"] for document in answer["documents"]
            for finding in document.get("findings", [])] + [
                document["message"] for document in answer["documents"] if "message" in document]


@pytest.mark.parametrize("text, word", [
    (b"{", "ends too early"),
    (b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "we', "ends too early"),
    (b'{"a": 1} trailing', "not JSON"),
    (b'{"a": 1} {"b": 2}', "not JSON"),
    (POD.encode()[:-20] + b"\n  - [", "not YAML"),
    (b"kind: \xff\xfe", "0xff is not valid UTF-8"),
    (b'{"kind": "\xc3"}', "0xc3 is not valid UTF-8"),
    (b'{"kind": "\xed\xa0\x80"}', "0xed is not valid UTF-8"),
    (b"kind: P\0d", "not YAML"),
    (b'{"kind": "P\0d"}', "not JSON"),
    (b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a\\u0000b"}}', "NUL"),
    (b"[" * 100000, "nested deeper than 100 levels"),
    (b'{"a":' + b"[" * 100000, "nested deeper than 100 levels"),
    (b"- " * 100000, "nested deeper than 100 levels"),
    (b"a: " + b"{? " * 100000, "a name must be a scalar"),
    (b"a: !<tag:example.com,2026:thing> b\n", "custom tag"),
    (b"a: !!python/object:os.system x\n", "not a !!python/object"),
    (b"a: *b\n", "names no value before it"),
    (b"a: &a [*a]\n", "names no value before it"),
    (b"%YAML 9.9\n---\na: b\n", "not YAML"),
    (b"a:\n\tb: c\n", "not YAML"),
    (b"true\n", "must be an object, not a boolean"),
    (b"? [a, b]\n: c\n", "a name must be a scalar"),
    (b"~: x\n", "null is not allowed as a name"),
], ids=lambda value: value[:24] if isinstance(value, bytes) else "")
def test_broken_text_is_refused_with_a_reason(nodeagent, text, word):
    assert any(word in message for message in refused(nodeagent, text)), refused(nodeagent, text)


def test_a_yaml_bomb_is_refused_at_once(nodeagent):
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join(9 * [f'*a{i - 1}'])}]\n" for i in range(1, 12))
    assert any("expands the document beyond 1000000 values" in message
               for message in refused(nodeagent, bomb, timeout=10))


def test_a_bomb_of_merges_is_refused_at_once(nodeagent):
    keys = ", ".join(f"k{i}: x" for i in range(1000))
    bomb = f"base: &b {{{keys}}}\n" + "".join(
        f"m{i}: {{<<: [{', '.join(['*b'] * 50)}]}}\n" for i in range(100))
    assert any("more than 1000000 values" in message
               for message in refused(nodeagent, bomb, timeout=30))


def output_within(program, text, memory_max, seconds=30):
    """What `validate -` says of the text with no more address space and CPU time than that."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (memory_max, memory_max))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    with subprocess.Popen([program, "validate", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=limit) as process:
        feeder = threading.Thread(target=feed, args=(process, text))
        feeder.start()
        output, errors = process.stdout.read(), process.stderr.read()
        process.wait()
        feeder.join()
    assert process.returncode == 1, errors
    return output.decode()


def feed(process, text):
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass


MEBIBYTE = 1 << 20
MEMORY_MAX = 192 * MEBIBYTE


def pod_json(spec):
    return b'{"apiVersion":"v1","kind":"Pod","spec":{' + spec + b"}}"


def pod_yaml(text):
    return (b"x: &a " + b"y" * 20000 + b"\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
            b"spec: {containers: [{name: web, image: web, args: [" + text + b"]}]}\n")


@pytest.mark.parametrize("text, word", [
    (b"a" * (100 * MEBIBYTE), "more than the 10485760 bytes allowed"),
    (b"[" + b"0," * (5 * MEBIBYTE - 2) + b"0]", "more than 1000000 values"),
    (b"{" + b'"a":1,' * 1700000 + b'"b":1}', "more than 1000000 values"),
    (b"[" + b'"\\u0041",' * 1100000 + b"0]", "more than 1000000 values"),
    (b"- a\n" * 2600000, "more than 1000000 values"),
    (b"# " + b"x" * (10 * MEBIBYTE - 10) + b"\n[", "not YAML"),
    (pod_json(b'"containers":[' + b",".join([b'{"x":1}'] * 100000) + b"]"), "must not be empty"),
    (pod_json(b'"containers":[' + b"null," * 990000 + b"null]"), "larger than 64 MiB"),
    (pod_json(b'"ephemeralContainers":[' + b"{}," * 990000 + b"{}]"), "larger than 64 MiB"),
    (pod_json(b'"volumes":[' + b"null," * 990000 + b"null]"), "larger than 64 MiB"),
    (pod_json(b'"containers":[{"env":[' + b"{}," * 990000 + b"{}]}]"), "must not be empty"),
    (pod_yaml(b",".join([b"*a"] * 20000)), "bytes of text"),
    (b"%TAG !a! x\n" * 90000 + b"--- 1\n", "more than 100 directives"),
], ids=["100 MB", "many numbers", "many members", "many escapes", "many lines", "a comment",
        "many mistakes", "many null containers", "many ephemeral containers", "many volumes",
        "many variables", "many aliases of a long text", "many directives"])
def test_memory_is_bounded(plain_program, text, word):
    """Also in time: the slowest of these takes less than two seconds."""
    output = output_within(plain_program, text, MEMORY_MAX)
    assert word in output, output[:2000]


@pytest.mark.parametrize("text", [
    b"a\n---\n" * 100000,
    b"\n" * 900000 + pod_json(b'"containers":[' + b"{}," * 1000 + b"{}]"),
    b'{"apiVersion":"v1","kind":"List","items":[' + b"{}," * 300000 + b"{}]}",
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{'
    + b",".join(b'"!%d":""' % i for i in range(600000)) + b"}}",
    pod_json(b",".join(b'"u%d":1' % i for i in range(600000))),
], ids=["many documents", "many lines", "many items", "many bad keys", "many unknown fields"])
def test_time_follows_the_size(plain_program, text):
    assert output_within(plain_program, text, MEMORY_MAX, seconds=15)


def test_a_file_beyond_the_limit_is_named(nodeagent, tmp_path):
    path = tmp_path / "large.yaml"
    with open(path, "wb") as file:
        file.truncate(100 * MEBIBYTE)
    result = nodeagent("validate", path)
    assert result.returncode == 1
    assert str(path) in result.stdout.decode() and "10485760" in result.stdout.decode()


def test_what_is_not_a_file_is_named_and_does_not_hang(nodeagent, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "web.yaml").write_text(POD)
    result = nodeagent("validate", tmp_path / "missing.yaml", tmp_path / "fifo",
                       tmp_path / "loop", tmp_path / "web.yaml", timeout=10)
    output = lines(result)
    assert result.returncode == 1
    assert sum(str(tmp_path) in line for line in output) == 4
    assert output[-1] == ("1 document: 1 accepted, 0 refused; 3 files could not be read; "
                          "0 warnings")


def test_a_directory_that_vanishes_while_read(nodeagent, tmp_path):
    """Files come and go while the directory is read: each is read whole or named as missing."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            for i in range(20):
                (tmp_path / f"{i}.yaml").write_text(POD)
            for i in range(20):
                (tmp_path / f"{i}.yaml").unlink()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(20):
            result = nodeagent("validate", tmp_path, timeout=30)
            assert result.returncode in (0, 1)
            assert not result.stderr, result.stderr.decode()
    finally:
        stop.set()
        thread.join()


def test_hostile_text_does_not_reach_the_terminal(nodeagent):
    text = POD.replace("name: web\nspec", 'name: "\\e[31mred\\a\\nline"\nspec')
    output = nodeagent("validate", "-", stdin=text).stdout
    assert b"\x1b" not in output and b"\x07" not in output
    assert b"\\x1b[31mred\\x07\\nline" in output
    unknown = POD + '  "\\e]0;title\\a": x\n'
    assert b"\x1b" not in nodeagent("validate", "-", stdin=unknown).stdout
    json.loads(nodeagent("validate", "-o", "json", "-", stdin=unknown).stdout)
