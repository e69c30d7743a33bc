"""What every store must promise: each backend passes this suite, or it is none."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from repo_maintenance.errors import AlreadyStoredError, StoreError
from repo_maintenance.findings import Level
from repo_maintenance.naming import parse_object_key
from repo_maintenance.stores import Digests
from tests.integration.backends import PREFIX, Backend
from tests.unit.making import digests_of

KEY = "lecture/lecture-20240506.tar.gz"
OLD, NEW = b"old content", b"new content"
METADATA = {
    "repository": "acme/lecture",
    "backup_date": "2024-05-06",
    "pushed_at": "2024-05-06T07:08:09+00:00",
}


def test_an_empty_store_holds_nothing(backend: Backend) -> None:
    """Before the first backup nothing is listed and nothing is found; neither is an error."""
    assert (backend.listed(), backend.store.find(KEY)) == ([], None)


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 1000], ids=["empty", "byte", "256 kB"])
def test_what_is_stored_is_found_and_listed(backend: Backend, content: bytes) -> None:
    """An object comes back with its content, size, version, time and metadata, from each way of asking."""
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    put = backend.put(KEY, content, METADATA)
    found = backend.store.find(KEY)
    [listed] = backend.store.list_objects()

    assert put == found
    assert found is not None
    assert (KEY, len(content), METADATA) == (found.key, found.size, found.metadata)
    assert (found.key, found.size, found.version) == (listed.key, listed.size, listed.version)
    assert before <= listed.modified <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    assert abs(listed.modified - found.modified) <= dt.timedelta(seconds=1)
    assert ({PREFIX + KEY}, content) == (backend.stored(), backend.read(KEY))


TEXTS = {
    "latin": "Ünïcode e\u0301 ß",
    "japanese": "日本語 リポジトリ",
    "arabic": "العربية",
    "emoji": "🐍",
    "percent": "100 % sure, %41, a+b c",
    "quotes": 'say "x" \\ y = z',
    "lines": "two\nlines\r\n\tand a tab",
    "spaces": "a  b",
    "header": "=?utf-8?q?x?=",
    "long": "x" * 500,
    "control": "\x00\x7f",
}


def test_metadata_hold_text_in_any_script(backend: Backend) -> None:
    """A value comes back exactly as it was given, whatever the script, and with any character."""
    backend.put(KEY, OLD, TEXTS)

    found = backend.store.find(KEY)

    assert found is not None
    assert found.metadata == TEXTS


@pytest.mark.parametrize("value", [" padded ", "\ttab"], ids=["padded", "tab"])
def test_metadata_keep_their_edges(backend: Backend, value: str) -> None:
    """White space at the ends of a value comes back."""
    backend.put(KEY, OLD, METADATA | {"default_branch": value})

    found = backend.store.find(KEY)

    assert found is not None
    assert METADATA | {"default_branch": value} == found.metadata


def test_a_file_that_changed_is_refused(backend: Backend) -> None:
    """A file altered, grown, cut or emptied since it was digested is not stored, nor is any part of it."""
    for content in (b"NEW content", b"new content and more", b"new", b""):
        with pytest.raises(StoreError):
            backend.put(KEY, content, METADATA, digested=NEW)

    assert (None, [], set()) == (backend.store.find(KEY), backend.listed(), backend.stored())


def test_a_wrong_checksum_is_refused(backend: Backend) -> None:
    """Digests of something else are found out, though the size is right, and nothing is stored."""
    source = backend.place / "source"
    source.write_bytes(NEW)
    wrong = Digests(len(NEW), digests_of(NEW).md5, digests_of(b"another one").sha256)
    with pytest.raises(StoreError):
        backend.store.put(KEY, source, wrong, METADATA, replaces=None)

    assert (None, set()) == (backend.store.find(KEY), backend.stored())


def test_a_taken_key_is_not_overwritten(backend: Backend) -> None:
    """Without naming a version, a put stores only where the key is free."""
    backend.put(KEY, OLD, METADATA)

    with pytest.raises(AlreadyStoredError, match="lecture-20240506"):
        backend.put(KEY, NEW, {"repository": "other"})

    found = backend.store.find(KEY)
    assert found is not None
    assert (backend.read(KEY), found.metadata) == (OLD, METADATA)


def test_the_named_version_is_replaced(backend: Backend) -> None:
    """The same day's backup is replaced, content and metadata together, and the version tells them apart."""
    old = backend.put(KEY, OLD, METADATA)
    new = backend.put(KEY, NEW, {"repository": "other"}, replaces=old.version)

    found = backend.store.find(KEY)
    assert found is not None
    assert (NEW, {"repository": "other"}, new.version) == (backend.read(KEY), found.metadata, found.version)
    assert (old.version != new.version, backend.listed()) == (True, [KEY])


def test_another_version_is_not_replaced(backend: Backend) -> None:
    """Where another run has stored something meanwhile, that stays, and the put is refused."""
    old = backend.put(KEY, OLD)
    backend.put(KEY, b"meanwhile", METADATA, replaces=old.version)

    with pytest.raises(AlreadyStoredError):
        backend.put(KEY, NEW, replaces=old.version)

    found = backend.store.find(KEY)
    assert found is not None
    assert (backend.read(KEY), found.metadata) == (b"meanwhile", METADATA)


def test_a_failed_put_leaves_the_old_object(backend: Backend) -> None:
    """A replacement whose file changed, or is gone, leaves content, metadata and version as they were."""
    old = backend.put(KEY, OLD, METADATA)
    with pytest.raises(StoreError):
        backend.put(KEY, b"NEW content", {}, replaces=old.version, digested=NEW)
    with pytest.raises((StoreError, OSError)):
        backend.store.put(KEY, backend.place / "gone", digests_of(NEW), {}, replaces=old.version)

    assert (old, OLD, {PREFIX + KEY}) == (backend.store.find(KEY), backend.read(KEY), backend.stored())


def test_one_of_two_runs_wins(backend: Backend) -> None:
    """Of several runs that store the same backup at once, one succeeds and the others are told."""

    def put(number: int) -> str | None:
        try:
            backend.put(KEY, f"content {number}".encode(), {"number": str(number)})
        except AlreadyStoredError:
            return None
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        [winner] = [number for number in pool.map(put, range(8)) if number is not None]

    found = backend.store.find(KEY)
    assert found is not None
    assert (f"content {winner}".encode(), {"number": winner}) == (backend.read(KEY), found.metadata)
    assert backend.listed() == [KEY]


ODD_KEYS = [
    *(
        f"{repo}/{repo}-20240506.tar.gz"
        for repo in (".github", "-rf", "...a", "x.tar.gz", "A", "a", "n" * 100)
    ),
    *(f"{repo}/{repo}-20240506.tar.gz" for repo in (".partial-x", "x.metadata.json", ".tmp", "a.sha256")),
    *("Über uns/日本-20240506.tar.gz", "a b+c%20d&e=f?g#h/x'y\"z", "a.tar.gz", "a/b/c/d"),
]


def test_odd_keys_are_keys(backend: Backend) -> None:
    """Whatever a repository may be called, its backup is stored, found and listed under its own key."""
    put = {key: backend.put(key, key.encode(), {"name": key}) for key in ODD_KEYS}

    assert put == {key: backend.store.find(key) for key in ODD_KEYS}
    assert [(key, {"name": key}) for key in ODD_KEYS] == [(one.key, one.metadata) for one in put.values()]
    assert {key: key.encode() for key in ODD_KEYS} == {key: backend.read(key) for key in ODD_KEYS}
    assert sorted(ODD_KEYS) == backend.listed()


def test_no_key_leads_out(backend: Backend) -> None:
    """A key that points out of the prefix or folder is refused, or stays within all the same."""
    for key in ("../escaped", "a/../../escaped", "/escaped", "..", "../outer-sibling/x"):
        try:
            backend.put(key, OLD)
        except StoreError:
            continue
    assert [one for one in backend.stored() if not one.startswith(PREFIX)] == []
    assert [path.name for path in backend.place.rglob("escaped") if "backups" not in path.parts] == []


def test_many_objects_are_listed_and_deleted(backend: Backend) -> None:
    """More objects than one request gives or takes, 1,200, are listed each once, and deleted alone."""
    keys = sorted(f"r{number % 40:02}/r{number % 40:02}-{20200101 + number}.tar.gz" for number in range(1200))
    backend.fill(keys)

    listed = list(backend.store.list_objects())
    assert keys == sorted(one.key for one in listed)
    assert {len(one.key) for one in listed} == {one.size for one in listed}

    backend.put("kept/kept-20240506.tar.gz", OLD, METADATA)
    backend.put(KEY, OLD, METADATA)
    assert backend.store.delete([*keys, KEY, "never/stored"]) == {}
    assert (backend.store.find(KEY), backend.listed()) == (None, ["kept/kept-20240506.tar.gz"])
    backend.write(KEY, NEW)
    found = backend.store.find(KEY)
    assert found is not None
    assert found.metadata == {}


def test_a_large_file_is_stored_whole(backend: Backend, large: bytes) -> None:
    """A file of 65 MB, which goes to S3 in parts, comes back byte for byte, and is not overwritten either."""
    put = backend.put(KEY, large, METADATA)

    assert (put, len(large), METADATA) == (backend.store.find(KEY), put.size, put.metadata)
    backend.store.download(KEY, backend.place / "downloaded")
    assert large == (backend.place / "downloaded").read_bytes()
    with pytest.raises(AlreadyStoredError):
        backend.put(KEY, large[::-1], {})
    assert put == backend.store.find(KEY)


def test_an_object_is_downloaded_whole(backend: Backend) -> None:
    """What was stored is written to a file byte for byte; a missing object is an error."""
    target = backend.place / "downloaded"
    for content in (b"", OLD):
        version = found.version if (found := backend.store.find(KEY)) else None
        backend.put(KEY, content, replaces=version)
        backend.store.download(KEY, target)
        assert content == target.read_bytes()
    with pytest.raises(StoreError, match="missing-20240506"):
        backend.store.download("lecture/missing-20240506.tar.gz", target)


def test_a_note_is_overwritten(backend: Backend) -> None:
    """A note needs no version to be written again, and is an object like any other."""
    backend.store.put_note("lecture/note.json", b"first")
    backend.store.put_note("lecture/note.json", b"second")

    backend.store.download("lecture/note.json", backend.place / "note")
    assert (backend.listed(), (backend.place / "note").read_bytes()) == (["lecture/note.json"], b"second")


def test_a_store_that_works_is_found_so(backend: Backend) -> None:
    """Looking before a run finds no failure, and leaves nothing that could be taken for a backup."""
    findings = [*backend.store.check(), backend.store.check_writable()]

    assert [str(one) for one in findings if one.level is Level.FAILURE] == []
    assert (len(findings) >= 2, [key for key in backend.listed() if parse_object_key(key)]) == (True, [])


def test_clearing_what_is_stale_keeps_objects(backend: Backend) -> None:
    """Removing what cut transfers left behind removes no backup."""
    backend.put(KEY, OLD, METADATA)
    before = backend.store.find(KEY)
    backend.store.clear_stale(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))

    assert before == backend.store.find(KEY)


def test_a_large_file_that_changed_is_refused(backend: Backend, large: bytes) -> None:
    """A single byte that changed in 65 MB since they were digested is found out, and nothing is stored."""
    changed = bytearray(large)
    changed[40_000_000] ^= 1
    with pytest.raises(StoreError):
        backend.put(KEY, bytes(changed), METADATA, digested=large)

    assert (None, set()) == (backend.store.find(KEY), backend.stored())


def test_the_place_is_named(backend: Backend) -> None:
    """An error or a log can say where an object stands, whole and below what the store is called by."""
    assert backend.store.locate(KEY).endswith(f"backups/{KEY}")
    assert backend.store.description
