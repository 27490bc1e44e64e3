"""Write the audits of corpora under random and speaker folds: python results/audit.py FOLDER... > results/audits.md."""

from __future__ import annotations

import sys
from pathlib import Path

from unheard.audit.files import audit_files
from unheard.audit.rendering import audit_text

PROTOCOLS = ("random-folds:5", "speaker-folds:5")


def main(folders: list[str]) -> None:
    """One section per corpus and protocol, as the command says it."""
    print("# Audits\n\nWhat `unheard audit` says of the corpora at hand, their recordings compared, seed 0.\n")
    print("`exit` is the command's: 0 the folds are what they claim, 3 they are not.\n")
    for folder in folders:
        for protocol in PROTOCOLS:
            found = audit_files([folder], protocol=protocol)
            print(f"## {Path(folder).name}, {protocol}\n")
            print(f"    unheard audit {Path(folder).name} --protocol {protocol}    # exit {0 if found.ok else 3}\n")
            print(f"```text\n{audit_text(found, 100)}```\n")


if __name__ == "__main__":
    main(sys.argv[1:])
