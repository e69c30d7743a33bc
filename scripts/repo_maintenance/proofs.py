"""What the newest good proofs say, read from the store once."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from repo_maintenance import naming
from repo_maintenance.catalog import Backup
from repo_maintenance.naming import ProofName
from repo_maintenance.records import read_json, write_json
from repo_maintenance.stores import Store
from repo_maintenance.verify import Proof

CONCURRENT_READS = 16


def read_proofs(store: Store, backups: Iterable[Backup]) -> dict[str, Proof]:
    """Return the newest good proof of each repository: from the disk where it was read before.

    Else from the store, which is asked at most once for each repository. Raises StoreError.
    """
    newest: dict[str, ProofName] = {}
    for backup in backups:
        if backup.proof and backup.is_good:
            known = newest.get(backup.name.repo)
            if known is None or backup.proof.proven_on >= known.proven_on:
                newest[backup.name.repo] = backup.proof
    with ThreadPoolExecutor(CONCURRENT_READS) as pool:
        found = pool.map(lambda name: _read_proof(store, name), newest.values())
        return {repo: proof for repo, proof in zip(newest, found, strict=True) if proof}


def _read_proof(store: Store, name: ProofName) -> Proof | None:
    path = naming.proof_path(name)
    proof = read_json(path, Proof)
    if proof is None:
        try:
            proof = Proof.model_validate_json(store.read_note(naming.proof_key(name)) or b"")
        except ValidationError:
            return None
        write_json(path, proof)
    return proof
