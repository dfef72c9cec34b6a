"""The rooms marked "pure" call nothing that could see or change the world.

    check_pure.py SOURCE BUILD

Every symbol that such a room's library wants from outside must be base's, its own, or on the
list in pure-symbols, or another pure room's.
"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INSTRUMENTATION = re.compile(r"^__(asan|ubsan|sanitizer|gcov|tsan|llvm|stack_chk|sanitizer_cov)")


def pure_rooms(source):
    lines = (source / "include" / "rooms").read_text(encoding="utf-8").splitlines()
    words = [line.split("#")[0].split() for line in lines]
    return [line[0] for line in words if "pure" in line[1:]]


def allowed_symbols():
    lines = (HERE / "pure-symbols").read_text(encoding="utf-8").splitlines()
    return {word for line in lines for word in line.split("#")[0].split()}


def symbols(library, kind):
    output = subprocess.run(["nm", kind, str(library)], capture_output=True, text=True,
                            check=True).stdout
    return {line.split()[-1] for line in output.splitlines() if line and not line.endswith(":")}


def violations(source, build):
    allowed = allowed_symbols() | symbols(build / "base" / "libbase.a", "--defined-only")
    found = []
    # A pure room may call others: the arrows say which, and they are held to the same list.
    for room in pure_rooms(source):
        allowed |= symbols(build / room / f"lib{room}.a", "--defined-only")
    for room in pure_rooms(source):
        library = build / room / f"lib{room}.a"
        wanted = symbols(library, "-u") - symbols(library, "--defined-only")
        for symbol in sorted(wanted - allowed):
            if not INSTRUMENTATION.match(symbol):
                found.append(f"{room}: calls {symbol}, which is not on the list of pure symbols")
    return found


if __name__ == "__main__":
    problems = violations(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
    print("\n".join(problems) if problems else "pure: " + ", ".join(
        pure_rooms(pathlib.Path(sys.argv[1]))))
    sys.exit(1 if problems else 0)
