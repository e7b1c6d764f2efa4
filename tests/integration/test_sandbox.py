"""The sandbox keeps its processes alive, names what does not stay up, and stops only what it started."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from certs.authority import Development
from gateway.sandbox import ground
from gateway.sandbox.places import Places, find_places, free_ports, refuse_taken_ports
from gateway.sandbox.supervisor import Supervisor
from schemas.errors import UnavailableError

Started = tuple[Supervisor, Places, Development]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Started]:
    web, town, bank = free_ports(3)
    places = find_places(web, {"GATEWAY_STATE_DIR": str(tmp_path / "state")}, (town, bank))
    made = ground.lay_certificates(places)
    supervisor = Supervisor(places.environment, places.logs, lambda _: None)
    yield supervisor, places, made
    supervisor.stop()


def answers(places: Places, made: Development) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return requests.get(places.town + "/healthz", verify=str(made.ca_cert), timeout=2).ok
        except requests.RequestException:
            return False

    return ask


def test_a_child_that_dies_is_started_again(sandbox: Started) -> None:
    supervisor, places, made = sandbox
    supervisor.start("town", ["simulator", "lijiayuan", "--port", str(places.town_port)])
    supervisor.wait_until(answers(places, made), within_s=60, what="the town")
    (child,) = supervisor.children
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    child.process.wait()
    supervisor.wait_until(
        lambda: child.process is not None and child.process.pid != first, within_s=20, what="it"
    )
    supervisor.wait_until(answers(places, made), within_s=60, what="the town")
    assert child.deaths == 1
    supervisor.stop()
    assert not answers(places, made)()


def test_books_survive_a_stop(sandbox: Started) -> None:
    supervisor, places, made = sandbox
    supervisor.start("town", ["simulator", "lijiayuan", "--port", str(places.town_port)])
    supervisor.wait_until(answers(places, made), within_s=60, what="the town")
    url = places.town + "/_accounts"
    assert requests.post(url, json={"GL1": 5}, verify=str(made.ca_cert), timeout=5).ok
    (child,) = supervisor.children
    assert child.process is not None
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(20) == 0
    supervisor.wait_until(lambda: child.process is None, within_s=10, what="it")
    supervisor.wait_until(answers(places, made), within_s=60, what="the town")
    state = requests.get(places.town + "/_state", verify=str(made.ca_cert), timeout=5).json()
    assert state["balances"] == {"GL1": 5}


def test_who_does_not_stay_up_is_named_with_its_last_words(sandbox: Started) -> None:
    supervisor, _, _ = sandbox
    supervisor.start("broken", ["no-such-command"])
    with pytest.raises(UnavailableError) as caught:
        supervisor.wait_until(lambda: False, within_s=60, what="the gateway")
    assert "broken does not stay up" in str(caught.value)
    assert "No such command" in str(caught.value)


def test_a_broken_one_does_not_spin(sandbox: Started) -> None:
    supervisor, _, _ = sandbox
    supervisor.start("broken", ["no-such-command"])
    (child,) = supervisor.children
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        supervisor.look()
        time.sleep(0.05)
    assert 2 <= child.deaths <= 4
    assert child.wait_s >= 1


def test_a_taken_port_is_named_with_what_to_do(sandbox: Started) -> None:
    _, places, _ = sandbox
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", places.bank_port))
        listener.listen()
        with pytest.raises(UnavailableError) as caught:
            refuse_taken_ports(places)
    assert str(places.bank_port) in str(caught.value)
    assert "--port" in str(caught.value)
    refuse_taken_ports(places)


def test_one_sandbox_a_directory(tmp_path: Path) -> None:
    with ground.alone(tmp_path / "state"), pytest.raises(UnavailableError), ground.alone(tmp_path / "state"):
        pass
    with ground.alone(tmp_path / "state"):
        pass


def test_an_edited_neighbours_file_stays(sandbox: Started) -> None:
    _, places, _made = sandbox
    ground.write_neighbours(places)
    path = places.config.neighbours_file
    written = path.read_text()
    assert places.bank in written
    path.write_text(written.partition("\n")[2] + "\n# mine\n")
    ground.write_neighbours(places)
    assert "# mine" in path.read_text()
