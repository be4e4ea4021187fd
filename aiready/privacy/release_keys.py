"""Keys of releases: a random one per wave, and the digests of people and answers made with it.

Every digest is an HMAC with 32 random bytes, so whoever has the releases without the keys cannot guess codes or answers
by trying them all. Whoever has both can; so a key may be deleted once nothing more will be published of its wave.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiready.atomic_files import PART, make_private_folder
from aiready.errors import InfrastructureError

KEYS_FOLDER = "keys"
"""Name of the folder of keys, inside the folder of releases."""
KEY_BYTES, DIGEST_BYTES, MARKS_PER_ITEM = 32, 16, 16
"""Bytes of a key and of a digest; marks per item: one for every code that an answer can have."""
CODE_OFFSET = 2
"""Added to an answer's code to make it an index: codes begin at -2 (`schema.DONT_KNOW`)."""
Marks = NDArray[np.uint16]


def read_keys(history: Path) -> dict[str, bytes]:
    """Every key of a history by its name.

    Raises
    ------
    InfrastructureError
        A key cannot be read, or is none.
    """
    return {
        path.name: _read(path) for path in sorted((history / KEYS_FOLDER).glob("*")) if not path.name.startswith(".")
    }


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        key, reason = b"", f" ({error})"
    else:
        reason = ""
    if len(key) != KEY_BYTES:
        raise InfrastructureError(
            f"{path}: is no key of a history{reason}. Put it back from a copy. Or move it away: then nothing more of "
            "its wave can be published, since nobody could compare it with what was."
        )
    return key


def ensure_key(history: Path, name: str) -> bytes:
    """Read the key of this name, or create it where there is none; a key is never replaced.

    Raises
    ------
    InfrastructureError
        The folder cannot be written.
    """
    folder = make_private_folder(history / KEYS_FOLDER)
    path = folder / name
    if path.exists():
        return _read(path)
    temporary = folder / f".{name}.{secrets.token_hex(4)}{PART}"
    try:
        _write_new(temporary, secrets.token_bytes(KEY_BYTES).hex())
        with suppress(FileExistsError):  # linking to a name that exists fails, so the existing key stays
            os.link(temporary, path)
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror}). Nothing was published.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return _read(path)


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def digest(key: bytes, purpose: str, text: bytes) -> str:
    """HMAC as 32 hex digits, which nobody can compute without the key."""
    return hmac.digest(key, purpose.encode() + b"\0" + text, "sha256")[:DIGEST_BYTES].hex()


def digests(key: bytes, purpose: str, texts: Sequence[bytes | None]) -> NDArray[np.object_]:
    """Digests of several texts; None of None."""
    return np.array([None if text is None else digest(key, purpose, text) for text in texts], dtype=object)


def answer_vectors(answers: NDArray[np.int8], items: Sequence[str]) -> list[bytes]:
    """All answers of each person as bytes, independent of the order of items; blanks leave no trace."""
    order = np.argsort(np.array(items, dtype=object), kind="stable")
    levels = range(-CODE_OFFSET, MARKS_PER_ITEM - CODE_OFFSET)
    words = np.array([[f"{items[at]}={level};".encode() for level in levels] for at in order], dtype=object)
    ordered = answers[:, order]
    person, position = np.nonzero(ordered)
    words = words.reshape(len(order), MARKS_PER_ITEM)[position, ordered[person, position] + CODE_OFFSET]
    ends = np.searchsorted(person, np.arange(len(answers) + 1))
    return [b"".join(words[low:high]) for low, high in pairwise(ends)]


def answer_marks(key: bytes, codes: Sequence[str | None], answers: NDArray[np.int8]) -> Marks:
    """Random marks that show whether a person's answer to an item changed, and nothing else: people x items.

    A mark belongs to a person, item and level; a person without a code has only 0.
    """
    people, items = answers.shape
    marks = np.zeros((people, items), dtype=np.uint16)
    first_mark = np.arange(items) * MARKS_PER_ITEM + CODE_OFFSET
    for person, code in enumerate(codes):
        if code is not None:
            seed = hmac.digest(key, b"marks\0" + code.encode(), "sha256")
            stream = np.frombuffer(hashlib.shake_256(seed).digest(2 * MARKS_PER_ITEM * items), dtype="<u2")
            marks[person] = stream[first_mark + answers[person]]
    return marks


def xor_keystream(key: bytes, owners: Sequence[str], texts: Sequence[bytes]) -> list[bytes]:
    """Encrypt texts, or decrypt them: the same operation, XOR with a keystream made from the key and each owner.

    An owner must not be used for two different texts.
    """
    seeds = (hmac.digest(key, b"veil\0" + owner.encode(), "sha256") for owner in owners)
    streams = (hashlib.shake_256(seed).digest(len(text)) for seed, text in zip(seeds, texts, strict=True))
    return [bytes(one ^ other for one, other in zip(*pair, strict=True)) for pair in zip(texts, streams, strict=True)]


def missing_keys(names: Sequence[str], keys: Mapping[str, bytes]) -> list[str]:
    """Names without a key, each once."""
    return sorted({name for name in names if name not in keys})
