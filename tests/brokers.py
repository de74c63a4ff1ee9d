"""Start the brokers for tests: the embedded one, and Apache Kafka from its own jars.

Apache Kafka runs as one KRaft process (broker and controller) on free ports of 127.0.0.1 with a data folder of its own.
Its jars come through mvn from tests/kafka/pom.xml into .build/kafka, once for each version of that file.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from agents.process.embedded import EmbeddedBroker, free_port
from agents.process.parent import bound_to_parent
from monitor.kafka import BrokerSettings, wait_for_broker

ROOT = Path(__file__).resolve().parent.parent
POM = ROOT / "tests" / "kafka" / "pom.xml"
LOG4J = ROOT / "tests" / "kafka" / "log4j2.properties"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=8388608
"""


def kafka_jars() -> Path:
    """The folder of the broker's jars; mvn fills it the first time."""
    version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".build" / "kafka" / version
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise RuntimeError(
            "Apache Kafka's jars are fetched with mvn, which is not installed (Debian: apt install maven)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        command = [
            "mvn",
            "-q",
            "-B",
            "-f",
            str(POM),
            COPY,
            f"-DoutputDirectory={partial}/jars",
            "-DincludeScope=runtime",
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"mvn could not fetch Apache Kafka's jars:\n{done.stdout}\n{done.stderr}")
        with contextlib.suppress(OSError):  # another test process was faster
            (Path(partial) / "jars").rename(folder)
    return folder


#: Clients of the first listener are sent to a proxy; the second one goes past it.
PROXIED = """\
listeners=PLAINTEXT://127.0.0.1:{port},DIRECT://127.0.0.1:{direct},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{proxy},DIRECT://127.0.0.1:{direct}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=DIRECT
"""
#: Access lists hold; who is on none may do everything.
ACCESS_LISTS = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


class ApacheKafka:
    """One Apache Kafka process.

    `proxy` is the port that its clients are told to use; `direct` is then the URL that goes past it. `properties` are
    added to the broker's own.
    """

    #: More options of `kafka-storage format` and of Java, for brokers that are set up in another way.
    format_options: tuple[str, ...] = ()
    java_options: tuple[str, ...] = ()
    log4j = LOG4J
    #: Seconds in which it has to answer.
    starts_within = 60.0

    def __init__(self, *, proxy: int | None = None, properties: str = "") -> None:
        self.proxy, self._more = proxy, properties
        self.controller = free_port()
        self.direct = ""
        self.folder = Path(tempfile.mkdtemp(prefix="summitry-kafka-"))
        self.port = free_port()
        self.url = f"kafka://127.0.0.1:{self.port}"
        self._properties = self.folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        controller = self.controller
        text = PROPERTIES.format(port=self.port, controller=controller, folder=self.folder)
        if self.proxy is not None:
            direct = free_port()
            self.direct = f"kafka://127.0.0.1:{direct}"
            text += PROXIED.format(port=self.port, direct=direct, controller=controller, proxy=self.proxy)
        self._properties.write_text(text + self._more)
        done = subprocess.run(
            [
                *self._java("kafka.tools.StorageTool"), "format", "-t", "c3VtbWl0cnktdGVzdHMtMQ",
                "-c", str(self._properties), *self.format_options,
            ],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"Apache Kafka's storage can't be formatted:\n{done.stdout}\n{done.stderr}")
        self.run()
        return self.url

    def run(self) -> None:
        """Start the process (again) on the same data and wait until it answers."""
        self.spawn()
        try:
            asyncio.run(wait_for_broker(BrokerSettings.from_url(self.direct or self.url), self.starts_within))
        except BaseException:
            sys.stderr.write((self.folder / "broker.log").read_text(errors="replace")[-4000:])
            self.stop()
            raise

    def spawn(self) -> None:
        """Start the process (again) on the same data.

        In the main thread: Linux sends the signal of a parent's death when the *thread* ends that started the child
        (prctl(2), PR_SET_PDEATHSIG).
        """
        assert threading.current_thread() is threading.main_thread()
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                bound_to_parent([*self._java("kafka.Kafka"), str(self._properties)]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Stop the broker's work without ending it, as a machine without memory or disk would."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL; `run` starts it again on what is on its disk."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _java(self, main: str) -> list[str]:
        return [
            "java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
            f"-Dlog4j2.configurationFile={self.log4j}", *self.java_options, "-cp", f"{kafka_jars()}/*", main,
        ]  # fmt: skip


class Embedded:
    """The embedded broker, in the form of the other one."""

    def __init__(self) -> None:
        self._broker = EmbeddedBroker()
        self.url = ""

    def start(self) -> str:
        self.url = asyncio.run(self._broker.start())
        return self.url

    def stop(self) -> None:
        asyncio.run(self._broker.stop())


BROKERS = {"embedded": Embedded, "kafka": ApacheKafka}
