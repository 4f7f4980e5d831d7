"""The supervisor itself: start in order, watch, restart what may be restarted, stop in order."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trial.config.supervisor import listening, processes
from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.gate import GATE, Gate
from trial.config.supervisor.progress import ProgressPage
from trial.config.supervisor.servers import EmbeddedServers
from trial.config.supervisor.services import (
    ADDRESSES,
    Programs,
    Service,
    all_services,
    environment_for,
    given_addresses,
)
from trial.config.supervisor.world import Choice, World

ROOT = Path(__file__).resolve().parents[3]
TICK = 0.1
READY_PATIENCE = 90.0
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
LARGEST_LOG = 10_000_000


class _Stopped(Exception):
    """Somebody asked us to stop while we were waiting for something."""


@dataclass
class _Running:
    """A service and its present process; `process` is None during the pause before a restart."""

    service: Service
    process: subprocess.Popen[bytes] | None
    since: float
    pause: float = 1.0
    restart_at: float = 0.0


class Supervisor:
    """Runs one world until it is asked to stop, or until the database dies. See the module's text."""

    def __init__(self, world: World, listener: socket.socket, programs: Programs) -> None:
        self.world = world
        self.listener = listener
        self.programs = programs
        self.address = listening.address(listener)
        self.log_folder = world.folder / "log"
        self.pids = world.folder / "pids"
        self.addresses = given_addresses(os.environ) or {}
        self.servers = None if self.addresses else EmbeddedServers(world)
        self.running: list[_Running] = []
        self.services = all_services(programs, world.folder, listener.fileno())
        self.gate: Gate | None = None
        self.start_id = f"{os.getpid()}-{time.time():.0f}"
        self._stop_requested = False
        self._parent = os.getppid()
        self._one_shot: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Start everything, say where it is, and stay until the end. Returns the exit code."""
        self._install_handlers()
        left_over = processes.stop_left_over(self.pids, first={"postgres": signal.SIGINT})
        if left_over:
            self._say(f"Ended what an earlier run left behind: {', '.join(left_over)}.")
        self._trim_logs()
        try:
            with ProgressPage(self.listener) as page:
                self._prepare(page)
            self._open_gate()
            self._start_services()
            return self._watch()
        except _Stopped:
            return 0
        finally:
            self._stop_all()

    # --- start

    def _prepare(self, page: ProgressPage) -> None:
        """Everything before the web server: servers, tables, the protocol of a team's own trial."""
        if self.servers is not None:
            self._step(page, "Starting the database and the broker")
            self.addresses = self.servers.start(self.pids)
        self._check_stop()
        self.gate = Gate()
        self._start(self.services[0])
        self._step(page, "Setting up the database")
        if self._to_be_played():
            # the player tells the database what time it is
            self._manage("setup_database", "--frozen-clock")
        else:
            self._manage("setup_database")
        if not self.world.choice.is_demo:
            self._step(page, "Reading the protocol")
            self._manage("load_protocol", str(self.world.choice.protocol))
            self.world.choice.remember_protocol()
        self._step(page, "Starting the web server")

    def _start_services(self) -> None:
        """The web server first; then, while its pages say so, the demo's data; then workers and beats."""
        (self.world.folder / "beat").mkdir(exist_ok=True)
        self._wait_for_first_page()
        self._say(f"The first page is up: {self.address}")
        if self._to_be_played():
            self._play()
        for service in self.services[1:]:
            self._start(service)
        self._wait_until_ready()
        self.world.tell(f"{self.address}, process {os.getpid()}")
        self._say(self._welcome())

    def _to_be_played(self) -> bool:
        return self.world.choice.is_demo and not self.world.is_played

    def _play(self) -> None:
        """Play the demo's data. From then on the clock runs, shifted: the database's, and that of a new web server."""
        self._say("Playing the demo trial: people, visits, data")
        self._manage("play_demo")
        self._manage("setup_database")
        web = self.running[0]
        if web.process is not None:
            processes.stop(web.process, patience=web.service.patience)
        self._start(web.service)
        self._wait_for_first_page()

    def _open_gate(self) -> None:
        """The web server, which has loaded the application meanwhile, may answer."""
        if self.gate is not None:
            self.gate.open()
            self.gate = None

    def _start(self, service: Service) -> None:
        settings = dict(service.settings)
        keep_open = []
        if service.name == "web":
            keep_open.append(self.listener.fileno())
            if self.gate is not None:
                keep_open.append(self.gate.waiting_end)
                settings[GATE] = str(self.gate.waiting_end)
        process = processes.spawn(
            service.command,
            log=self._log(service.name),
            # A job or a request that is cut off is done again or refused: nothing here needs to say goodbye.
            death_signal=signal.SIGKILL,
            env=environment_for(service.credentials, self.addresses, self._common(), settings),
            cwd=ROOT,
            keep_open=keep_open,
        )
        processes.remember(self.pids, service.name, process.pid)
        for running in self.running:
            if running.service is service:
                running.process, running.since = process, time.monotonic()
                return
        self.running.append(_Running(service, process, time.monotonic()))

    def _manage(self, command: str, *arguments: str) -> str:
        """Run a management command with the owner's credentials; return what it printed. Raises SupervisorError."""
        log = self._log(f"setup-{command}")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        self._one_shot = processes.spawn(
            [*self.programs.manage, command, *arguments],
            log=log,
            death_signal=signal.SIGKILL,
            env=environment_for(ADDRESSES, self.addresses, self._common()),
            cwd=ROOT,
        )
        processes.remember(self.pids, command, self._one_shot.pid)
        while self._one_shot.poll() is None:
            self._check_stop()
            self._look_after_services()
            time.sleep(TICK / 2)
        processes.forget(self.pids, command)
        if self._one_shot.returncode != 0:
            raise SupervisorError(f"{command} did not succeed; its log is {log}.\n{processes.tail(log, 12)}")
        return log.read_text(errors="replace")

    def _common(self) -> dict[str, str]:
        """What every process gets."""
        common = {
            **self.world.told(),
            "PYTHONUNBUFFERED": "1",
            "PORT": str(self.listener.getsockname()[1]),
            "START_ID": self.start_id,
        }
        if os.environ.get("ALLOWED_HOSTS"):
            common["ALLOWED_HOSTS"] = os.environ["ALLOWED_HOSTS"] + ",127.0.0.1"  # we ask for /healthz ourselves
        return common

    def _wait_for_first_page(self) -> None:
        """The web server has the processor to itself until it answers at all."""
        deadline = time.monotonic() + READY_PATIENCE
        web = self.running[0]
        while self._health() is None and time.monotonic() < deadline:
            if web.process is None or web.process.poll() is not None:
                log = self._log(web.service.name)
                raise SupervisorError(f"The web server does not start; its log is {log}.\n{processes.tail(log, 12)}")
            self._check_servers()
            self._pause()

    def _wait_until_ready(self) -> None:
        """Until /healthz says 200; when it takes too long, say what is missing and go on."""
        deadline = time.monotonic() + READY_PATIENCE
        while (state := self._health()) != "ready":
            if time.monotonic() > deadline:
                self._say(f"Not everything is ready after {READY_PATIENCE:.0f} s: {state or 'no answer'}")
                return
            self._look_after_services()
            self._pause()

    def _health(self) -> str | None:
        """Return ``ready``, or what /healthz says is missing, or None while the web server does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.listener.getsockname()[1], timeout=5)
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return "ready" if answer.status == 200 else _missing_parts(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _welcome(self) -> str:
        from trial.config.supervisor import welcome

        if self.world.choice.is_demo:
            return welcome.demo(self.address, self.world.choice.world)
        return welcome.own_trial(self.address, self._first_token())

    def _first_token(self) -> str:
        """The one-time token, or nothing once it was used. It is printed only: the log of the command is removed."""
        name = "first_administrator_token"
        try:
            token = self._manage(name).strip()
        except SupervisorError as error:
            self._say(str(error))
            return ""
        self._log(f"setup-{name}").unlink(missing_ok=True)
        return token

    # --- watch

    def _watch(self) -> int:
        while True:
            self._pause()
            self._look_after_services()

    def _look_after_services(self) -> None:
        """Restart what died, with a pause that doubles; the database alone is the end."""
        self._check_servers()
        now = time.monotonic()
        for running in self.running:
            if running.process is None:
                if now >= running.restart_at:
                    self._start(running.service)
            elif running.process.poll() is not None:
                code = running.process.returncode
                processes.stop(running.process)
                if now - running.since > STEADY_AFTER:
                    running.pause = 1.0
                running.process, running.restart_at = None, now + running.pause
                log = self._log(running.service.name)
                self._say(
                    f"{running.service.name} stopped ({_reason(code)}) and starts again in {running.pause:.0f} s; log {log}"
                )
                running.pause = min(running.pause * 2, LONGEST_PAUSE)

    def _check_servers(self) -> None:
        if self.servers is not None:
            for message in self.servers.check(self.pids):
                self._say(message)

    def _pause(self) -> None:
        self._check_stop()
        time.sleep(TICK)
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop_requested:
            raise _Stopped

    # --- stop

    def _stop_all(self) -> None:
        """Web, workers, beats, broker, database: nobody loses a server that it still needs."""
        self._stop_requested = True
        if self.running or self.servers is not None:
            self._say("Stopping.")
        if self._one_shot is not None:
            processes.stop(self._one_shot, patience=2.0)
        for stage in sorted({running.service.stage for running in self.running}):
            group = [running for running in self.running if running.service.stage == stage]
            for running in group:
                if running.process is not None and running.process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        running.process.send_signal(signal.SIGTERM)
            for running in group:
                if running.process is not None:
                    processes.stop(running.process, patience=running.service.patience)
                processes.forget(self.pids, running.service.name)
        if self.servers is not None:
            self.servers.stop(self.pids)
        self._say("Stopped.")

    def _install_handlers(self) -> None:
        """SIGINT too when the shell made us ignore it (started with ``&``); SIGHUP unless nohup asked otherwise."""

        def request_stop(_signal: int, _frame: object) -> None:
            if os.getppid() != self._parent and processes.DEATH_IS_TOLD:
                # Our parent was killed: nobody waits for an orderly end. The kernel ends our children with us.
                os.kill(os.getpid(), signal.SIGKILL)
            self._stop_requested = True

        signal.signal(signal.SIGINT, request_stop)
        signal.signal(signal.SIGTERM, request_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, request_stop)

    # --- small things

    def _step(self, page: ProgressPage, text: str) -> None:
        page.say(text)
        self._say(text)

    def _say(self, text: str) -> None:
        """Print; a terminal that is gone is no reason to stop."""
        with contextlib.suppress(OSError, ValueError):
            print(text, flush=True)

    def _log(self, name: str) -> Path:
        return self.log_folder / f"{name}.log"

    def _trim_logs(self) -> None:
        """Keep one old generation of each log that has grown large."""
        for log in self.log_folder.glob("*.log"):
            if log.stat().st_size > LARGEST_LOG:
                log.replace(log.with_suffix(".log.1"))


def main(arguments: list[str], programs: Programs | None = None) -> int:
    """Run ``demo`` or ``run``. Returns the exit code; what the person must know is printed, one or two lines."""
    if len(arguments) != 1 or arguments[0] not in ("demo", "run"):
        print("Usage: python -m trial.config.supervisor demo|run", file=sys.stderr)
        return 2
    try:
        with World(Choice.read(arguments[0], os.environ)) as world:
            listener = listening.listen(listening.port_from_environment())
            return Supervisor(world, listener, programs or Programs.of_equipoise()).run()
    except SupervisorError as error:
        print(error, file=sys.stderr)
        if "No space left on device" in str(error):
            print("Is the disk full? Make room and start again.", file=sys.stderr)
        return 1


def _missing_parts(status: int, body: bytes) -> str:
    """Return, from the JSON of /healthz, the parts that are not ok."""
    try:
        parts = json.loads(body)["parts"]
        return "; ".join(f"{name}: {state}" for name, state in parts.items() if state != "ok") or f"status {status}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {status}"


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
