"""Test that changing any key of the configuration changes an outcome.

The tables are in the modules of tests/monitor/config/settings. A new key needs a row there.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import trustme
import yaml
from cryptography.hazmat.primitives import serialization

from agents.board.access import password_line
from tests.monitor.config.settings import alerts, connection, polling, processes, receivers, rules
from tests.monitor.config.settings.case import Case, all_keys, observe, parameters

pytestmark = pytest.mark.slow

ROWS = (*connection.ROWS, *polling.ROWS, *rules.ROWS, *alerts.ROWS, *receivers.ROWS, *processes.ROWS)
_PEOPLE = """
leaders:
  - name: Ronald Reagan
    id: ronald-reagan
    aliases: {en: [Reagan], de: [Reagan]}
    offices: [{title: President, country: US, from: 1981-01-20, to: 1989-01-20}]
"""
_ANOTHER = """\
  - name: Mikhail Gorbachev
    id: mikhail-gorbachev
    aliases: {en: [Gorbachev], de: [Michail Gorbatschow, Gorbatschow]}
    offices: [{title: General Secretary of the Communist Party, country: SU, from: 1985-03-11, to: 1991-08-24}]
"""
_OPML = '<opml version="2.0"><body><outline type="rss" xmlUrl="https://b.example/feed"/></body></opml>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the rows name."""
    made = tmp_path_factory.mktemp("settings")
    authorities = [trustme.CA() for _ in range(2)]
    pems = [authority.cert_pem.bytes() for authority in authorities]
    (made / "one-authority.pem").write_bytes(pems[0])
    (made / "two-authorities.pem").write_bytes(b"".join(pems))
    for name in ("ada", "bob"):
        issued = authorities[0].issue_cert(f"{name}.example")
        (made / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        (made / f"{name}.token").write_text(f"{name}'s\n")
        (made / f"{name}.key").write_bytes(issued.private_key_pem.bytes())
    key = serialization.load_pem_private_key((made / "ada.key").read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"right")
    form = serialization.PrivateFormat.PKCS8
    (made / "ada-locked.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    (made / "templates").mkdir()
    (made / "templates" / "wording.yaml").write_text("label: {sources: Told by}\n")
    (made / "people.yaml").write_text(_PEOPLE + _ANOTHER)
    (made / "person.yaml").write_text(_PEOPLE)
    (made / "own.opml").write_text(_OPML)
    (made / "passwords").write_text(password_line("ada", "a password"))
    for file, digest in (("tokens.yaml", processes.TOKEN_DIGEST), ("no-tokens.yaml", "0" * 64)):
        (made / file).write_text(yaml.safe_dump({"tokens": [{"name": "ada", "sha256": digest}]}))
    return made


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it
@pytest.mark.parametrize("row", parameters(ROWS))
def test_another_value_is_another_outcome(row: Case, folder: Path) -> None:
    for value, expected in row.seen:
        assert observe(row, value, folder) == expected, f"{row.key}: {value}"


def test_each_key_has_one_row_and_each_row_tells_its_values_apart() -> None:
    rows = Counter(row.key for row in ROWS)
    assert set(rows) == all_keys()
    assert not [key for key, count in rows.items() if count > 1]
    for row in ROWS:
        outcomes = [expected for _, expected in row.seen]
        assert any(outcome != outcomes[0] for outcome in outcomes), row.key
