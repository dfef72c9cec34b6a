"""Compares what each room's objects really include with the table in include/rooms.

    check_arrows.py SOURCE BUILD

The compiler's dependency files show every header that was read, however it was spelled, so
relative paths and absolute ones are seen as well.
"""

import pathlib
import subprocess
import sys


def read_rooms(source):
    """{room: rooms it may use} from include/rooms."""
    rooms = {}
    for line in (source / "include" / "rooms").read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].split()
        if words:
            rooms[words[0]] = {word for word in words[1:] if word != "pure"}
    return rooms


def owner(path, source, rooms):
    """(room, is the header public) of a file, or None for one that is not in a room."""
    try:
        parts = path.relative_to(source).parts
    except ValueError:
        return None
    if parts[:2] == ("include", "nodeagent"):
        room = parts[2].removesuffix(".h")
        return (room, True) if room in rooms else None
    return (parts[0], False) if parts[0] in rooms else None


def violations(source, build):
    rooms = read_rooms(source)
    deps = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True,
                          text=True, check=True).stdout
    found, room, seen = [], None, set()
    for line in deps.splitlines():
        if line and not line.startswith(" "):
            target = line.split(":")[0]
            room = target.split("/")[0]
            seen.add(room)
            continue
        if not line.strip() or room not in rooms:
            continue
        header = (build / line.strip()).resolve()
        belongs = owner(header, source, rooms)
        if not belongs or belongs[0] == room:
            continue
        if not belongs[1]:
            found.append(f"{target}: reads {line.strip()}, which is private to {belongs[0]}")
        elif belongs[0] not in rooms[room]:
            found.append(f"{target}: {room} may not use {belongs[0]} ({line.strip()})")
    found += [f"no object of {room} was built" for room in rooms if room not in seen]
    return found


if __name__ == "__main__":
    problems = violations(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
    print("\n".join(problems) if problems else "arrows: all includes follow include/rooms")
    sys.exit(1 if problems else 0)
