"""Makes bare git repositories, each by one `git fast-import`, with the same object ids on every machine."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.servers.lfs_store import object_id, pointer, put_object

FIRST_COMMIT = 1_700_000_000  # seconds since 1970: 2023-11-14T22:13:20Z
COMMIT_SECONDS = 60
CHUNK = 1 << 20
IDENTITY = "Test Author <author@example.org>"
LFS_ATTRIBUTES = b"*.bin filter=lfs diff=lfs merge=lfs -text\n"


def git_environment() -> dict[str, str]:
    """Return an environment in which git reads neither the user's nor the system's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def git(path: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Return what `git --git-dir path …` wrote; CalledProcessError has git's words when it failed."""
    command = ["git", f"--git-dir={path}", *arguments]
    done = subprocess.run(command, input=stdin, env=git_environment(), capture_output=True, check=False)
    if done.returncode:
        problem = subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        problem.add_note(done.stderr.decode(errors="replace"))
        raise problem
    return done.stdout.decode()


def make_empty(path: Path, default_branch: str = "main") -> Path:
    """Make a bare repository without a commit, without starting git; returns its path."""
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (path / part).mkdir(parents=True)
    (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n")
    set_head(path, default_branch)
    return path


def set_head(path: Path, branch: str) -> None:
    """Make `branch` the one that HEAD names."""
    (path / "HEAD").write_text(f"ref: refs/heads/{branch}\n")


def make_repository(
    path: Path,
    *,
    commits: int = 3,
    branches: Iterable[str] = (),
    tags: Iterable[str] = (),
    size_bytes: int = 0,
    default_branch: str = "main",
    extra_refs: Iterable[str] = (),
    seed: str | None = None,
) -> Path:
    """Make a bare repository; returns its path.

    Each branch has one commit of its own; tags are annotated; `extra_refs` are full names, such as
    `refs/pull/1/head`, at the default branch's last commit; `size_bytes` is a blob that doesn't compress.
    The contents follow from `seed`, by default the directory's name.
    """
    if commits < 1:
        raise ValueError("make_repository needs a commit: see make_empty")
    seed = path.name if seed is None else seed
    make_empty(path, default_branch)
    main = f"refs/heads/{default_branch}"
    stream: list[Iterator[bytes]] = [_history(main, commits, seed)]
    if size_bytes:
        stream.append(_large_file(main, size_bytes, seed, commits))
    stream += [_branch(main, name, commits + 1 + place) for place, name in enumerate(branches)]
    stream += [_tag(main, name) for name in tags]
    stream += [_reset(main, ref) for ref in extra_refs]
    _fast_import(path, stream)
    return path


def make_lfs_repository(
    path: Path, objects: Mapping[str, bytes], *, default_branch: str = "main", seed: str | None = None
) -> dict[str, str]:
    """Make a repository whose `objects` (`*.bin` by name) are Git LFS pointers; returns name → object id.

    The contents go to the repository's LFS store, where the fake GitHub serves them from.
    """
    make_empty(path, default_branch)
    main = f"refs/heads/{default_branch}"
    files = {"README.md": f"{seed or path.name}\n".encode(), ".gitattributes": LFS_ATTRIBUTES}
    files |= {name: pointer(content) for name, content in objects.items()}
    _fast_import(path, [_commit(main, "Add large files", 0, files)])
    for content in objects.values():
        put_object(path, content)
    return {name: object_id(content) for name, content in objects.items()}


def push_commit(path: Path, branch: str = "main", message: str = "A further commit") -> str:
    """Add a commit to a branch, which it makes if needed; returns the commit's object id."""
    ref = f"refs/heads/{branch}"
    parent = refs(path).get(ref)
    name = f"pushed-{parent[:12] if parent else 'first'}.txt"
    start = f"from {ref}^0\n".encode() if parent else b""
    _fast_import(path, [_commit(ref, message, 1440, {name: f"{message}\n".encode()}, start)])
    return refs(path)[ref]


def force_push(path: Path, branch: str = "main", message: str = "Another history") -> str:
    """Put a new root commit in a branch's place, as a forced push does; returns its object id."""
    ref = f"refs/heads/{branch}"
    _fast_import(path, [_commit(ref, message, 2880, {"other.txt": f"{message}\n".encode()})], force=True)
    return refs(path)[ref]


def delete_ref(path: Path, ref: str) -> None:
    """Remove a ref, given by its full name."""
    git(path, "update-ref", "-d", ref)


def refs(path: Path) -> dict[str, str]:
    """Return full ref name → object id (of the tag object, for an annotated tag); HEAD is not among them."""
    lines = git(path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def corrupt(path: Path) -> str:
    """Delete a blob that a commit needs, so that a clone fails; returns the blob's object id."""
    _unpack(path)
    tip = next(iter(refs(path).values()))
    blob = git(path, "ls-tree", "-r", "--format=%(objectname)", tip).split()[0]
    (path / "objects" / blob[:2] / blob[2:]).unlink()
    return blob


def disk_bytes(path: Path) -> int:
    """Return the size in bytes of a repository's files, without its LFS store."""
    total = 0
    for folder, inner, names in os.walk(path):
        if Path(folder) == path and "lfs" in inner:
            inner.remove("lfs")
        total += sum((Path(folder) / name).stat().st_size for name in names)
    return total


def _unpack(path: Path) -> None:
    aside = path / "aside"
    shutil.move(path / "objects" / "pack", aside)
    (path / "objects" / "pack").mkdir()
    for pack in sorted(aside.glob("*.pack")):
        git(path, "unpack-objects", "-q", stdin=pack.read_bytes())
    shutil.rmtree(aside)


def _history(ref: str, commits: int, seed: str) -> Iterator[bytes]:
    for number in range(commits):
        text = f"{seed}: line {number}\n".encode()
        yield from _commit(
            ref, f"Commit {number + 1}", number, {"README.md": text, f"src/file{number}.txt": text}
        )


def _branch(main: str, name: str, number: int) -> Iterator[bytes]:
    files = {f"{name.replace('/', '-')}.txt": f"{name}\n".encode()}
    return _commit(f"refs/heads/{name}", f"Work on {name}", number, files, f"from {main}\n".encode())


def _commit(
    ref: str, message: str, number: int, files: Mapping[str, bytes], start: bytes = b""
) -> Iterator[bytes]:
    yield _commit_head(ref, message, number) + start
    for name, content in files.items():
        yield f"M 100644 inline {name}\n".encode() + _data(content)
    yield b"\n"


def _commit_head(ref: str, message: str, number: int) -> bytes:
    date = f"{FIRST_COMMIT + COMMIT_SECONDS * number} +0000"
    return f"commit {ref}\nauthor {IDENTITY} {date}\ncommitter {IDENTITY} {date}\n".encode() + _data(
        message.encode()
    )


def _large_file(ref: str, size: int, seed: str, number: int) -> Iterator[bytes]:
    yield _commit_head(ref, "Add a large file", number) + f"M 100644 inline large.dat\ndata {size}\n".encode()
    source = random.Random(seed)  # noqa: S311 - contents for tests
    for start in range(0, size, CHUNK):
        yield source.randbytes(min(CHUNK, size - start))
    yield b"\n\n"


def _tag(main: str, name: str) -> Iterator[bytes]:
    tagger = f"tagger {IDENTITY} {FIRST_COMMIT} +0000"
    yield f"tag {name}\nfrom {main}\n{tagger}\n".encode() + _data(f"Version {name}".encode())


def _reset(main: str, ref: str) -> Iterator[bytes]:
    yield f"reset {ref}\nfrom {main}\n\n".encode()


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _fast_import(path: Path, stream: Iterable[Iterator[bytes]], *, force: bool = False) -> None:
    options = ["-c", "fastimport.unpackLimit=1", "-c", "core.compression=0", "-c", "core.bigFileThreshold=1m"]
    command = ["git", f"--git-dir={path}", *options, "fast-import", "--quiet", "--done"]
    if force:
        command.append("--force")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=git_environment()
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            for part in stream:
                process.stdin.writelines(part)
            process.stdin.write(b"done\n")
            process.stdin.close()
        except BrokenPipeError:
            pass  # fast-import ended early: its own words below say why
        words = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"git fast-import failed in {path}: {words}")
