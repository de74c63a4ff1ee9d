"""Test how the configuration is read, and the message for each mistake."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from monitor.config import Config, Match, Secret, WebhookReceiver, load_config, shown
from monitor.config.durations import duration_text
from monitor.errors import ConfigError

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
HOOK = "receivers:\n  hook: {type: webhook, url: 'https://x.example/h', secrets: ['" + KEY + "']}\n"

#: text of the file, environment, the place that the message names, what it must say
BROKEN = [
    # the file itself
    ("broker: [unclosed\n", {}, "", "not valid YAML"),
    ("- a list\n", {}, "", "not a mapping of sections"),
    ("broker:\n\turl: x\n", {}, "", "not valid YAML"),
    ("log:\n  level: info\n  level: debug\n", {}, "log.level", "given twice, first on line 2"),
    ("? [a, b]\n: 1\n", {}, "", "a key must be plain text"),
    # unknown keys
    ("brokr: {}\n", {}, "brokr", "did you mean 'broker'?"),
    ("poller:\n  concurency: 5\n", {}, "poller.concurency", "did you mean 'concurrency'?"),
    ("routes: [{name: a, recievers: [console]}]\n", {}, "routes[0].recievers", "did you mean 'receivers'?"),
    ("log: {zzz: 1}\n", {}, "log.zzz", "known here: format, level"),
    # types
    ("poller: {concurrency: many}\n", {}, "poller.concurrency", "expected a whole number, found 'many'"),
    ("poller: {concurrency: 1.5}\n", {}, "poller.concurrency", "write a whole number, e.g. 200"),
    ("poller: {concurrency: true}\n", {}, "poller.concurrency", "found true"),
    ("poller: {full_text: 'yes'}\n", {}, "poller.full_text", "expected true or false, found 'yes'"),
    ("poller: {floor: soon}\n", {}, "poller.floor", "'soon' is not a duration; write 90s"),
    ("poller: {floor: -5m}\n", {}, "poller.floor", "'-5m' is not a duration"),
    ("broker: here\n", {}, "broker", "expected keys with values, found 'here'"),
    ("feeds: my.opml\n", {}, "feeds", "write a list, e.g. [my.opml]"),
    ("broker: {url: 9092}\n", {}, "broker.url", "expected text, found the number 9092"),
    ("detection: {alert_threshold: high}\n", {}, "detection.alert_threshold", "expected a number"),
    # ranges and choices
    ("poller: {concurrency: 0}\n", {}, "poller.concurrency", "0 is out of range; write a number of 1 or more"),
    ("detection: {alert_threshold: 1.2}\n", {}, "detection.alert_threshold", "from 0 to 1"),
    ("web: {worker_port: 99999}\n", {}, "web.worker_port", "from 0 to 65535"),
    ("log: {level: inof}\n", {}, "log.level", "did you mean 'info'?"),
    ("topics: {prefix: 'a b'}\n", {}, "topics.prefix", "has the wrong form; write it like summitry"),
    ("poller: {floor: 2h, ceiling: 1h}\n", {}, "poller.floor", "is longer than poller.ceiling"),
    # the broker
    ("broker: {url: localhost}\n", {}, "broker.url", "write embedded, or host:port"),
    ("broker: {url: 'k:9092', security: {protocol: SASL_SSL}}\n", {}, "broker.security.username", "SASL_SSL needs one"),
    (
        "broker: {url: 'k:9092', security: {protocol: SASL_SSL, mechanism: OAUTHBEARER}}\n",
        {},
        "broker.security.token_file",
        "give one of them",
    ),
    (
        "broker: {url: 'k:9092', security: {protocol: SASL_SSL, username: a, password: b, token_file: c}}\n",
        {},
        "broker.security.mechanism",
        "set mechanism: OAUTHBEARER",
    ),
    (
        "broker: {url: 'k:9092', security: {protocol: SSL, token_url: 'https://login.example/token'}}\n",
        {},
        "broker.security.token_url",
        "remove the token_url",
    ),
    ("broker: {security: {ca_file: nowhere.pem}}\n", {}, "broker.security.ca_file", "give the path of a PEM file"),
    # receivers
    ("receivers: {}\n", {}, "receivers", "add one, e.g. 'console: {type: console}'"),
    ("receivers: {a: {}}\n", {}, "receivers.a.type", "one of console, webhook, slack"),
    ("receivers: {a: {type: slak}}\n", {}, "receivers.a.type", "did you mean 'slack'?"),
    ("receivers: {A B: {type: console}}\n", {}, "receivers.A B", "use lower-case letters"),
    ("receivers: {a: {type: webhook, url: 'https://x.example/'}}\n", {}, "receivers.a.secrets", "add 'secrets: [...]'"),
    (
        "receivers: {a: {type: webhook, url: 'x.example', secrets: ['" + KEY + "']}}\n", {}, "receivers.a.url",
        "is not a web address",
    ),
    (
        "receivers: {a: {type: webhook, url: 'https://x.example/h', secrets: [{env: NOPE}]}}\n", {},
        "receivers.a.secrets[0].env", "the environment has no NOPE; set it: export NOPE=...",
    ),
    (
        "receivers: {a: {type: webhook, url: 'https://x.example/h', secrets: [whsec_short]}}\n", {},
        "receivers.a.secrets[0]", "base64 of 24 to 64 random bytes",
    ),
    (
        "receivers: {a: {type: slack, channel: C0123456789, token: {file: nowhere}}}\n", {}, "receivers.a.token.file",
        "can't be read: No such file",
    ),
    (
        "receivers: {a: {type: slack, channel: general, token: xoxb-1}}\n", {}, "receivers.a.channel",
        "give the id from the channel's details, e.g. C0123456789",
    ),
    ("receivers: {a: {type: slack, channel: C0123456, token: {vault: x}}}\n", {}, "receivers.a.token", "{env: NAME}"),
    (
        "receivers: {a: {type: email, host: h, sender: nobody, to: [a@b.example]}}\n", {}, "receivers.a.sender",
        "write it like desk@example.org",
    ),
    (
        HOOK.replace("secrets", "allow_private_networks: [10.0.0.1/8], secrets"), {},
        "receivers.hook.allow_private_networks[0]", "write it like 10.0.0.0/8",
    ),
    # routes
    ("routes: [{name: a, receivers: [consle]}]\n", {}, "routes[0].receivers[0]", "did you mean 'console'?"),
    ("routes: [{name: a, receivers: []}]\n", {}, "routes[0].receivers", "names no receiver; one or more of console"),
    (
        "routes: [{name: a, receivers: [console]}, {name: a, receivers: [console]}]\n", {}, "routes[1].name",
        "give each route its own name",
    ),
    (
        "routes: [{name: a, receivers: [console], match: {pairs: [putin-xi]}}]\n", {}, "routes[0].match.pairs[0]",
        "write two leaders like putin+xi",
    ),
    (
        "routes: [{name: a, receivers: [console], match: {countries: ['']}}]\n", {}, "routes[0].match.countries[0]",
        "is empty; write a name",
    ),
    (
        "routes: [{name: a, receivers: [console], match: {kinds: [dinner]}}]\n", {}, "routes[0].match.kinds[0]",
        "known here: call, meeting, summit, talks, visit",
    ),
    (
        "routes: [{name: a, receivers: [console], quiet_hours: {start: '22:00', end: '7:00'}}]\n", {},
        "routes[0].quiet_hours.end", "write it like 07:30",
    ),
    (
        "routes: [{name: a, receivers: [console], quiet_hours: {start: 22:00, end: 07:00, zone: Europe/Berln}}]\n", {},
        "routes[0].quiet_hours.zone", "there is no time zone 'Europe/Berln'",
    ),
    (
        "routes: [{name: a, receivers: [console], remind: {every: 10m}}]\n", {}, "routes[0].remind",
        "alerts.acknowledge is missing",
    ),
    # silences, alerts
    (
        "silences: [{match: {}, until: '2026-03-01T08:00:00Z', reason: r}]\n", {}, "silences[0].match",
        "would silence everything",
    ),
    (
        "silences: [{match: {kinds: [visit]}, until: tomorrow, reason: r}]\n", {}, "silences[0].until",
        "e.g. 2026-03-01T08:00:00Z",
    ),
    ("alerts: {retries: []}\n", {}, "alerts.retries", "give at least one wait"),
    ("alerts: {templates: nowhere}\n", {}, "alerts.templates", "there is no folder"),
    ("alerts: {heartbeat: {receivers: [x]}}\n", {}, "alerts.heartbeat.receivers[0]", "there is no receiver 'x'"),
    (
        "alerts: {acknowledge: {url: 'https://x.example', secret: short}}\n", {}, "alerts.acknowledge.secret",
        "give 16 characters or more",
    ),
    # addresses
    (f"board: {{url: 'https://desk:{KEY}@board.example'}}\n", {}, "board.url", "leave the login out"),
    ("board: {url: 'https://board.example:port/'}\n", {}, "board.url", "is not a web address"),
    (f"tracing: {{endpoint: 'http://desk:{KEY}@[::1/v1'}}\n", {}, "tracing.endpoint", "is not a web address"),
    (f"tracing: {{endpoint: 'http://desk:{KEY}@collector:4318'}}\n", {}, "tracing.endpoint", "leave the login out"),
    (
        "alerts: {acknowledge: {url: 'https://desk:pw@x.example', secret: abcdefghijklmnop}}\n", {},
        "alerts.acknowledge.url", "leave the login out",
    ),
    (
        f"receivers: {{d: {{type: email, host: 'desk:{KEY}@mail', sender: a@b.example, to: [c@d.example]}}}}\n", {},
        "receivers.d.host", "is not the name of a host",
    ),
    # the environment
    ("", {"SUMMITRY_POLLER__CONCURRENCY": "many"}, "SUMMITRY_POLLER__CONCURRENCY", "expected a whole number"),
    ("", {"SUMMITRY_POLER__CONCURRENCY": "4"}, "SUMMITRY_POLER__CONCURRENCY", "did you mean 'poller'?"),
    ("", {"SUMMITRY_POLLER__CONCURENCY": "4"}, "SUMMITRY_POLLER__CONCURENCY", "did you mean 'concurrency'?"),
    ("", {"SUMMITRY_FEEDS__X": "["}, "SUMMITRY_FEEDS__X", "not a valid YAML value"),
]  # fmt: skip


def test_there_are_forty_broken_configurations_and_more():
    assert len(BROKEN) >= 40


@pytest.mark.parametrize(("text", "env", "key", "said"), BROKEN, ids=[f"{n}-{row[2]}" for n, row in enumerate(BROKEN)])
def test_a_mistake_is_one_line_with_file_key_problem_and_fix(tmp_path, text, env, key, said):
    file = tmp_path / "summitry.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, env)
    line = str(caught.value)
    assert "\n" not in line
    assert said in line
    assert line.startswith("environment: " if env else str(file))
    if key:
        assert f": {key}: " in line
    assert caught.value.fix or "twice" in line or "must be" in line
    assert KEY not in line


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        file = tmp_path / "summitry.yaml"
        file.write_text(text)
        return file

    return write


def test_without_a_file_everything_has_its_default():
    config = load_config(None, {})
    assert config == Config()
    assert config.broker.url == "embedded"
    assert [route.receivers for route in config.all_routes()] == [("console",)]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "nothing.yaml", {})


def test_an_empty_file_and_empty_sections_are_the_defaults(write):
    assert load_config(write("# nothing yet\n"), {}) == Config()
    assert load_config(write("poller:\nlog:\n  level:\n"), {}) == Config()


def test_the_environment_goes_over_the_file(write):
    file = write("poller: {concurrency: 5, floor: 2m}\nreceivers: {desk-1: {type: console}}\n")
    env = {
        "SUMMITRY_POLLER__CONCURRENCY": "7",
        "SUMMITRY_FEEDS": "ignored: no section",
        "SUMMITRY_RECEIVERS__DESK_1__COLOUR": "never",
        "SUMMITRY_DETECTION__LANGUAGES": "[en, ru]",
        "SUMMITRY_POLLER__CONTACT": "12345",
        "SUMMITRY_BROKER__URL": "kafka-1:9092, kafka-2:9092",
    }
    config = load_config(file, env)
    assert config.poller.concurrency == 7
    assert config.poller.floor == timedelta(minutes=2)
    assert config.receivers["desk-1"].colour == "never"
    assert config.detection.languages == ("en", "ru")
    assert config.poller.contact == "12345", "a number is text where text is wanted"


def test_secrets_come_from_files_and_variables_and_are_never_shown(write, tmp_path):
    (tmp_path / "token").write_text("xoxb-from-file\n")
    file = write(
        "receivers:\n"
        "  desk: {type: slack, channel: C0123456789, token: {file: token}}\n"
        "  hook: {type: webhook, url: {env: HOOK}, secrets: [{env: KEY}, '" + KEY + "']}\n"
    )
    config = load_config(file, {"HOOK": "https://x.example/secret-part", "KEY": KEY})
    assert config.receivers["desk"].token.reveal() == "xoxb-from-file"
    text = shown(config) + repr(config) + str(config)
    assert "xoxb" not in text
    assert KEY not in text
    assert "secret-part" not in text
    assert "{env: HOOK}" in text
    assert str(Secret("x")) == repr(Secret("x")) == "********"


def test_a_broker_password_in_the_address_is_refused_and_not_repeated(write):
    with pytest.raises(ConfigError, match=r"broker\.security") as caught:
        load_config(write("broker: {url: 'kafka+sasl://user:pass-word@k:9092'}\n"), {})
    assert "pass-word" not in str(caught.value)


def test_paths_are_relative_to_the_file(write, tmp_path):
    config = load_config(
        write("watchlist: lists/mine.yaml\nfeeds: [bundled, mine.opml, 'https://x.example/f.opml']\n"), {}
    )
    assert config.watchlist == tmp_path / "lists" / "mine.yaml"
    assert config.feeds == ("bundled", str(tmp_path / "mine.opml"), "https://x.example/f.opml")


def test_yaml_means_what_it_looks_like(write):
    """Norway is not false, and ten in the evening is not 1320 (YAML 1.1's reading)."""
    config = load_config(
        write(
            "routes:\n- name: north\n  receivers: [console]\n  match: {countries: [NO, SE]}\n"
            "  quiet_hours: {start: 22:00, end: 06:30}\n"
        ),
        {},
    )
    assert config.routes[0].match == Match(countries=("NO", "SE"))
    assert config.routes[0].quiet_hours.start == "22:00"


def test_what_is_shown_can_be_loaded_again(write):
    config = load_config(write("poller: {floor: 90s}\nroutes: [{name: a, receivers: [console]}]\n"), {})
    assert load_config(write(shown(config)), {}) == config


def test_anchors_are_fine_and_bombs_are_not(write):
    config = load_config(write("poller: &p {concurrency: 3}\nlog: {level: debug}\n"), {})
    assert config.poller.concurrency == 3
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(ConfigError, match="too large"):
        load_config(write(bomb), {})
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_config(write("a: &a {b: *a}\n"), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: " + "[" * 3000, "nested too deeply", marks=pytest.mark.slow),
        ("a: " + "{a: " * 3000 + "}" * 3000, "nested too deeply"),
        ("\n".join(" " * level + "a:" for level in range(1000)), "nested too deeply"),
        ("log: {level: '" + "x" * 2**20 + "'}", "too large for a configuration"),
        ("topics: &a {<<: *a}", "nested too deeply"),
        ("topics: {partitions: " + "9" * 5000 + "}", "expected a whole number"),
        ("a: \0", "not valid YAML"),
        ("a: 1\n---\nb: 1", "not valid YAML"),
    ],
)
def test_what_is_nested_or_huge_is_one_line(write, text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(write(text), {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("2d", 172800), ("1w", 604800), ("0", 0)],
)
def test_lengths_of_time(write, text, seconds):
    config = load_config(write(f"alerts: {{update_wait: {text}}}\n"), {})
    assert config.alerts.update_wait == timedelta(seconds=seconds)


def test_a_length_of_time_is_shown_in_its_largest_whole_unit():
    assert [duration_text(timedelta(seconds=s)) for s in (90, 3600, 86400, 0.25, 0)] == [
        "90s",
        "1h",
        "1d",
        "0.25s",
        "0s",
    ]


def test_every_receiver_type_can_be_configured(write):
    file = write(
        HOOK
        + """
  screen: {type: console}
  desk: {type: slack, channel: C0123456789, token: xoxb-1}
  room: {type: slack_webhook, url: 'https://hooks.slack.example/services/x'}
  post: {type: email, host: mail.example.org, sender: 'Summitry <alerts@example.org>', to: [desk@example.org]}
  team: {type: apprise, url: 'json://127.0.0.1/x'}
  bus: {type: kafka, topic: alerts, broker: {url: 'other:9092'}}
"""
    )
    config = load_config(file, {})
    assert isinstance(config.receivers["hook"], WebhookReceiver)
    assert len(config.receivers) == 7
    assert len(yaml.safe_load(shown(config))["receivers"]) == 7
