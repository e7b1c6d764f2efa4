"""Ports: what a corridor may ask of a neighbour. Adapters satisfy them by shape; nobody inherits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from schemas.contributions import FaultyItem, HouseholdRegistration, ReadPush, Withdrawal
from schemas.policy import Facility
from schemas.proposals import BankAnswer, BenefitProposal, BenefitRevocation
from schemas.staff import ProviderAsk, ProviderClaims, ProviderReturn
from schemas.values import Category, Serial, TownCode


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a town's platform can do; a corridor reads this, never a town's name."""

    holds: str  # 'household' | 'person'
    can_freeze: bool
    can_find: bool
    day_statement: bool
    posts_scores: bool
    half_points: bool
    max_items: int
    speaks: str = "rest"  # 'rest' | 'soap': which door the town comes in by
    feed: bool = False  # changes are fetched from the town, not only pushed by it
    day_file: bool = False  # the day's items can be fetched again as one file
    pushes: bool = True  # sends its items to our door; False: it only says that something changed
    account: str = (
        ""  # what TownClient's `account` is: 'household_code' | 'id_no' | 'openid'; '': as `holds` suggests
    )
    can_reverse: bool = False  # takes a confirmed freeze back: its client is also `Reversing`


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a town's platform is: what pages and lists call it. A town is known by this, never by its code in our text."""

    town: TownCode
    name_zh: str  # the platform: 沥家园
    name_en: str
    place_zh: str  # the town: 瓜沥镇
    place_en: str
    division_code: str | None  # of the town, nine digits (GB/T 2260 and GB/T 10114); None: not known
    carries: str = (
        ""  # the name of the account in the query of its app's QR code; '': it has none that we read
    )
    invented: bool = False  # an example that no town runs: production does not see it

    def name(self, language: str) -> str:
        """The platform's name in 'zh' or 'en'."""
        return self.name_en if language == "en" else self.name_zh


class TownReader(Protocol):
    """Their words to ours. Pure: no network, no database, no clock."""

    town: TownCode
    profile: Profile
    version: str  # 'lijiayuan/1': kept with every push so that it can be read again
    capabilities: Capabilities

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """One document (single or batch) to our words. `codes` are activity codes added by an operator.

        Raises InvalidError when the document as a whole cannot be read (syntax, too many items)."""

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """One document per line (a chunk of a stream). A broken line is a FaultyItem, not an error."""

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The document with these items cut out: what may be kept when persons without consent were named."""

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """A registration document to our words."""

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """Withdrawn consents to our words."""

    def openapi_paths(self) -> Mapping[str, Any]:
        """The OpenAPI path items and component schemas of this town's door: {'paths': …, 'components': …}."""


@dataclass(frozen=True, slots=True)
class FreezeState:
    """What the town says about one of our serials."""

    serial: Serial
    state: str  # 'frozen' | 'confirmed' | 'released' | 'expired' | 'reversed'
    points_centi: int
    town_reference: str


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a town's statement of an accounting date: what it says it sent us, or did under one of our serials.

    `kind` is a `ContributionKind`, and then `reference` is the town's own; or 'redemption', and then it is our serial.
    `points_centi` is positive; the kind gives the direction."""

    reference: str
    kind: str
    account: str  # in the town's words, as `TownClient.freeze` takes it
    points_centi: int
    state: str  # 'posted' (a contribution); 'frozen' | 'confirmed' | 'released' | 'expired' (a redemption)
    town_reference: str = ""


class TownClient(Protocol):
    """Calls out to a town's own platform. Never retries; says which kind of failure it was.

    `account` is whatever the town keeps points under (`Capabilities.holds`): its household code, or a person's resident id.

    Errors: UnavailableError (nothing happened), OutcomeUnknownError (ask by `find`), RefusedError (not enough points, …),
    NotFoundError (account or serial unknown), ConflictError (same serial, other content)."""

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState: ...
    def confirm(self, serial: Serial) -> FreezeState: ...
    def release(self, serial: Serial) -> FreezeState: ...
    def find(self, serial: Serial) -> FreezeState | None: ...
    def balance(self, account: str) -> int: ...
    def day_statement(self, on: date) -> Iterator[StatementLine]: ...


@runtime_checkable
class Reversing(Protocol):
    """A town that takes a confirmed freeze back (冲正): the points return to the account. Beside TownClient, where a town can.

    The same errors as TownClient; the same again is answered like the first time, with state 'reversed'."""

    def reverse(self, serial: Serial) -> FreezeState: ...


class BankPort(Protocol):
    """The bank's credit system. Same failure kinds as TownClient; inquiry before anything is sent again."""

    def query_facility(self, serial: Serial, customer_id_no: str, product: str) -> Facility: ...
    def propose_benefit(self, proposal: BenefitProposal) -> BankAnswer: ...
    def query_proposal(self, serial: Serial, original_serial: Serial) -> BankAnswer: ...
    def revoke_benefit(self, revocation: BenefitRevocation) -> BankAnswer: ...


class IdentityPort(Protocol):
    """The bank's OpenID provider: it vouches for staff. Asking it for addresses may fetch its metadata.

    Errors: UnavailableError (it does not answer), ForbiddenError (it refused, or its answer cannot be trusted)."""

    def authorization_url(self, ask: ProviderAsk) -> str: ...
    def exchange(self, ask: ProviderAsk, returned: ProviderReturn, now: datetime) -> ProviderClaims: ...
    def sign_out_url(self, id_token: str, back: str) -> str: ...


class WitnessPort(Protocol):
    """Somebody outside who signs our checkpoints after checking that the log only grew (c2sp.org/tlog-witness).

    Errors: UnavailableError (ask again later), ConflictError 'witness-size' (it stands at the size in `value`), RefusedError (it
    has seen another history), InvalidError (it does not know us)."""

    @property
    def name(self) -> str: ...
    @property
    def vkey(self) -> str: ...
    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who co-signs, and how many of them a checkpoint needs before it is published. 0: none, everything sealed is published."""

    quorum: int = 0
    known: tuple[WitnessPort, ...] = ()
    retired: tuple[
        str, ...
    ] = ()  # verifier keys that signed in earlier times: still verified, no longer asked


NO_WITNESSES = Witnesses()
