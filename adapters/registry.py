"""The one list of neighbours. Adding a town is one line here."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

from adapters import lijiayuan, nanyang_young, pingan_gongfu, shili_invented, wuhe_zhonglian
from adapters.kit.subject import Town
from adapters.simulating import Seeding, Simulator
from schemas.day_files import TownDayFiles
from schemas.errors import InvalidError, RefusedError
from schemas.feeds import TownFeed, TownLinking
from schemas.ports import (
    BankPort,
    Capabilities,
    IdentityPort,
    Profile,
    TownClient,
    TownReader,
    Witnesses,
)
from schemas.soap import SigningIdentity, SoapTown
from schemas.values import TownCode


class TownAdapter(Protocol):
    """What a town's package offers: who it is, what it can do, its settings, and the two halves."""

    @property
    def PROFILE(self) -> Profile: ...  # noqa: N802  a constant of the package
    @property
    def CAPABILITIES(self) -> Capabilities: ...  # noqa: N802
    @property
    def Config(self) -> type[Any]: ...  # noqa: N802  its class of settings
    def create_reader(self) -> TownReader: ...
    def create_client(self, config: Any) -> TownClient: ...


class SoapAdapter(Protocol):
    """What the package of a town with `Capabilities.speaks == "soap"` offers besides."""

    def create_soap(self, signing: SigningIdentity) -> SoapTown: ...


class FeedAdapter(Protocol):
    """What the package of a town with `Capabilities.feed` offers besides."""

    def create_feed(self, config: Any) -> TownFeed: ...


class LinkingAdapter(Protocol):
    """What the package of a town with `Capabilities.account == "openid"` offers besides: residents link their accounts."""

    def create_linking(self, config: Any) -> TownLinking: ...


class HookAdapter(Protocol):
    """What the package of a town that sends signed events offers besides."""

    def hook_secrets(self, config: Any) -> tuple[str, ...]: ...


#: town code → adapter. A town is its folder and one line here.
TOWNS: Final[Mapping[TownCode, TownAdapter]] = {
    TownCode("lijiayuan"): lijiayuan,
    TownCode("nanyang_young"): nanyang_young,
    TownCode("shili_invented"): shili_invented,
    TownCode("wuhe_zhonglian"): wuhe_zhonglian,
    TownCode("pingan_gongfu"): pingan_gongfu,
}

Settings = TypeVar("Settings")
MOST_SECRETS = 4


def towns_seen(mode: str) -> dict[TownCode, TownAdapter]:
    """The towns of this mode: production does not see invented ones."""
    return {
        town: adapter for town, adapter in TOWNS.items() if mode == "sandbox" or not adapter.PROFILE.invented
    }


def create_readers(*, mode: str) -> dict[TownCode, TownReader]:
    """Every town's reader: pure, so always all of them."""
    return {town: adapter.create_reader() for town, adapter in towns_seen(mode).items()}


def create_soap_towns(read_signing: Callable[[], SigningIdentity], *, mode: str) -> dict[TownCode, SoapTown]:
    """The SOAP service of every town that comes in by SOAP; its contract is parsed here, once.

    `read_signing` is asked only when there is such a town."""
    adapters = {t: a for t, a in towns_seen(mode).items() if a.CAPABILITIES.speaks == "soap"}
    signing = read_signing() if adapters else None
    return {
        town: cast(SoapAdapter, adapter).create_soap(signing)
        for town, adapter in adapters.items()
        if signing is not None
    }


def find_simulator(name: str) -> Simulator | None:
    """The simulator of a neighbour's folder, or None when it has none that `gateway simulator` could start."""
    place = f"adapters.{name}.simulator"
    if (
        name.startswith("_")
        or not name.isidentifier()
        or find_spec(f"adapters.{name}") is None
        or find_spec(place) is None
    ):
        return None
    module: Any = import_module(place)
    return module if hasattr(module, "create_simulator") and hasattr(module, "settings_for") else None


def find_seeding(name: str) -> Seeding | None:
    """How a simulated town sends its invented year, or None when it has none."""
    if find_simulator(name) is None or find_spec(f"adapters.{name}.simulator.seeding") is None:
        return None
    return cast(Seeding, import_module(f"adapters.{name}.simulator.seeding"))


def simulated_towns() -> list[TownCode]:
    """The towns that can be started as simulators, in the order of the list."""
    return [town for town in TOWNS if find_simulator(town) is not None]


def create_clients(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> dict[TownCode, TownClient]:
    """A client for each town that has a table in the neighbours file."""
    return {
        town: adapter.create_client(settings)
        for town, adapter, settings in _configured(neighbours, mode=mode)
    }


def create_feeds(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> dict[TownCode, TownFeed]:
    """The feed of each town that is asked for its changes and has a table in the neighbours file."""
    return {
        town: cast(FeedAdapter, adapter).create_feed(settings)
        for town, adapter, settings in _configured(neighbours, mode=mode)
        if adapter.CAPABILITIES.feed
    }


def create_day_files(
    neighbours: Mapping[str, Mapping[str, Any]], *, mode: str
) -> dict[TownCode, TownDayFiles]:
    """The day files of each town that makes them and has a table in the neighbours file."""
    return {
        town: cast(TownDayFiles, adapter.create_client(settings))
        for town, adapter, settings in _configured(neighbours, mode=mode)
        if adapter.CAPABILITIES.day_file
    }


def create_linkings(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> dict[TownCode, TownLinking]:
    """The linking of each town whose residents link their accounts."""
    return {
        town: cast(LinkingAdapter, adapter).create_linking(settings)
        for town, adapter, settings in _configured(neighbours, mode=mode)
        if adapter.CAPABILITIES.account == "openid"
    }


def list_hook_secrets(
    neighbours: Mapping[str, Mapping[str, Any]], *, mode: str
) -> dict[TownCode, tuple[str, ...]]:
    """The secrets of each town that sends signed events. Raises InvalidError for one that is no Standard Webhooks secret."""
    found: dict[TownCode, tuple[str, ...]] = {}
    for town, adapter, settings in _configured(neighbours, mode=mode):
        if hasattr(adapter, "hook_secrets"):
            secrets = cast(HookAdapter, adapter).hook_secrets(settings)
            if not all(_is_hook_secret(secret) for secret in secrets) or len(secrets) > MOST_SECRETS:
                raise InvalidError(
                    f"a webhook secret of {town} cannot be used", code="neighbour-settings", where=f"{town}.hook_secrets",
                    remedy="give one or two strings: whsec_ and the base64 of 24 to 64 random bytes",
                )  # fmt: skip
            found[town] = secrets
    return found


def _configured(
    neighbours: Mapping[str, Mapping[str, Any]], *, mode: str
) -> Iterator[tuple[TownCode, TownAdapter, Any]]:
    for town, adapter in towns_seen(mode).items():
        if town in neighbours:
            yield town, adapter, read_settings(adapter.Config, town, neighbours[town], mode=mode)


def _is_hook_secret(secret: Any) -> bool:
    if not isinstance(secret, str) or not secret.startswith("whsec_"):
        return False
    try:
        return 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    except ValueError:
        return False


def create_bank(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> BankPort | None:
    """The bank's client, or None when the neighbours file has no table for it."""
    if "bank_core" not in neighbours:
        return None
    from adapters import bank_core

    settings = read_settings(bank_core.Config, "bank_core", neighbours["bank_core"], mode=mode)
    return bank_core.create_client(settings)


def create_identity(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> IdentityPort | None:
    """The client of the bank's identity provider, or None when the neighbours file has no table for it."""
    if "bank_identity" not in neighbours:
        return None
    from adapters import bank_identity

    settings = read_settings(bank_identity.Config, "bank_identity", neighbours["bank_identity"], mode=mode)
    return bank_identity.create_client(settings)


def create_witnesses(document: Mapping[str, Any], *, mode: str) -> Witnesses:
    """The witnesses file: `quorum`, a table [[witness]] for each, and `retired`, keys that signed in earlier times.

    Raises InvalidError: more wanted than there are, a setting that cannot be used.
    """
    from adapters import witness

    tables = document.get("witness", [])
    known = tuple(
        witness.create_client(read_settings(witness.Config, f"witness {number}", table, mode=mode))
        for number, table in enumerate(tables, 1)
    )
    quorum, retired = document.get("quorum", 0), document.get("retired", [])
    faults = [f"{name} is not a setting" for name in document if name not in ("quorum", "witness", "retired")]
    if not isinstance(quorum, int) or isinstance(quorum, bool) or not 0 <= quorum <= len(known):
        faults.append(f"quorum must be a number from 0 to {len(known)}, as many as there are witnesses")
    if len({one.name for one in known}) != len(known):
        faults.append("two witnesses have one name")
    if not isinstance(retired, list) or not all(isinstance(key, str) for key in retired):
        faults.append("retired must be a list of verifier keys")
    if faults:
        raise InvalidError(
            "the witnesses file cannot be used: " + "; ".join(faults),
            code="witness-settings",
            where="GATEWAY_WITNESSES_FILE",
        )
    return Witnesses(quorum, known, tuple(retired))


def read_settings(kind: type[Settings], neighbour: str, table: Mapping[str, Any], *, mode: str) -> Settings:
    """One table of the neighbours file as that adapter's Config; every fault of the table at once.

    Raises InvalidError; RefusedError for a sandbox neighbour outside sandbox mode.
    """
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    faults = [f"{name} is not a setting" for name in table if name not in known]
    faults += [
        f"{name} is missing"
        for name, f in known.items()
        if name not in table and f.default is MISSING and f.default_factory is MISSING
    ]
    values = {}
    for name, value in table.items():
        if name in known:
            wanted = str(known[name].type)
            fits = _fits(wanted, value)
            if not fits:
                faults.append(f"{name} must be {wanted.removesuffix(' | None')}")
            values[name] = Path(value) if "Path" in wanted and isinstance(value, str) else value
    if not str(table.get("address", "https://")).startswith("https://"):
        faults.append("address must begin with https://")
    if faults:
        raise InvalidError(
            f"the settings of {neighbour} cannot be used: " + "; ".join(faults),
            code="neighbour-settings",
            where=neighbour,
        )
    if mode != "sandbox" and table.get("sandbox"):
        raise RefusedError(
            f"{neighbour} is a sandbox neighbour; it is refused in {mode} mode",
            code="sandbox-neighbour",
            where=neighbour,
        )
    return kind(**values)


def _fits(wanted: str, value: Any) -> bool:
    if "Path" in wanted or wanted.startswith("str"):
        return isinstance(value, str) and bool(value)
    if wanted.startswith("bool"):
        return isinstance(value, bool)
    if wanted.startswith("float"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    if wanted.startswith("int"):
        return isinstance(value, int) and not isinstance(value, bool)
    return True


def find_check(town: str) -> Town | None:
    """What the kit knows of a town (`adapters/<town>/check.py`), or None when it has not joined the suite."""
    if town not in TOWNS or find_spec(f"adapters.{town}.check") is None:
        return None
    joined: Town = import_module(f"adapters.{town}.check").TOWN
    return joined
