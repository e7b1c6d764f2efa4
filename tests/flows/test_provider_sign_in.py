"""Bar 5: a real OpenID provider signs a clerk in and out; whatever is wrong with an answer, nobody is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from adapters import bank_identity
from certs import Development, ensure_development
from gateway.config import load_config
from gateway.db.embedded import Embedded
from gateway.flows.authorize_staff import authorize_staff
from gateway.flows.begin_provider_sign_in import begin_provider_sign_in
from gateway.flows.finish_provider_sign_in import finish_provider_sign_in
from gateway.flows.sign_out import sign_out
from gateway.flows.switch_staff import switch_staff
from gateway.house import House
from schemas.errors import ConflictError, ForbiddenError, GatewayError, UnauthenticatedError, UnavailableError
from schemas.staff import ProviderReturn, Role
from tests.conftest import TestDatabase
from tests.oidc_stage import (
    Liar,
    install_provider,
    lying_provider,
    query_of,
    real_provider,
    unsigned,
    walk_in,
)
from tests.plain_town import plain_house
from tests.served import free_port, scratch_database, served_gateway
from tests.staff_stage import Browser, add_person


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Development:
    return ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path_factory.mktemp("certs"))}))


@pytest.fixture(scope="module")
def provider(made: Development) -> Iterator[Liar]:
    with lying_provider(made) as running:
        yield running


@pytest.fixture
def liar(provider: Liar) -> Liar:
    """Telling the truth, until a test says otherwise."""
    for told in (provider.claims, provider.header, provider.metadata, provider.answers, provider.seen):
        told.clear()
    provider.signs_with = None
    return provider


def _settings(made: Development, issuer: str, **more: Any) -> bank_identity.Config:
    key_file = made.assertion("lijiayuan")[0]
    return bank_identity.Config(issuer, "gateway", key_file, ca_file=made.ca_cert, sandbox=True, **more)


@pytest.fixture
def house(database: TestDatabase, made: Development, liar: Liar) -> House:
    from datetime import UTC, datetime

    client = bank_identity.create_client(_settings(made, liar.issuer))
    return replace(plain_house(database, identity=client), clock=lambda: datetime.now(UTC))


def _begin(house: House, liar: Liar) -> tuple[ProviderReturn, str]:
    url, cookie = begin_provider_sign_in(house, "/desk/", now=house.clock())
    liar.seen.update(query_of(url))
    return ProviderReturn(liar.seen["state"], "code-1", "", ""), cookie


def test_an_honest_answer_signs_in_with_the_roles_it_names(house: House, liar: Liar) -> None:
    returned, cookie = _begin(house, liar)
    assert (liar.seen["response_type"], liar.seen["code_challenge_method"]) == ("code", "S256")
    done, back = finish_provider_sign_in(house, returned, cookie, now=house.clock())
    assert back == "/desk/"
    assert liar.token_form["code_verifier"] not in str(liar.seen)
    assert liar.token_form["client_assertion_type"].endswith("jwt-bearer")
    caller = authorize_staff(house, done.token, {Role.CLERK}, "/x", now=house.clock())
    assert (caller.teller_no, caller.branch_no, caller.source) == ("P001", "330109001", "provider")
    assert sign_out(house, done.token, now=house.clock()).startswith(liar.issuer + "/end?id_token_hint=")


def test_roles_and_branch_follow_the_provider(house: House, liar: Liar, database: TestDatabase) -> None:
    first, _ = finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())
    liar.claims.update(roles="supervisor", branch_no="330109002")
    second, _ = finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, first.token, (), "/x", now=house.clock())
    caller = authorize_staff(house, second.token, {Role.SUPERVISOR}, "/x", now=house.clock())
    assert (caller.branch_no, set(caller.roles)) == ("330109002", {Role.SUPERVISOR})
    assert database.sql("select change from staff_change order by changed_at") == [("added",), ("replaced",)]


WRONG: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "no issuer": {"claims": {"iss": None}},
    "another audience": {"claims": {"aud": "another-client"}},
    "several audiences, no azp": {"claims": {"aud": ["gateway", "another-client"]}},
    "several audiences, another azp": {"claims": {"aud": ["gateway", "x"], "azp": "x"}},
    "no audience": {"claims": {"aud": None}},
    "expired": {"claims": {"iat": 1_700_000_000, "exp": 1_700_000_060}},
    "no expiry": {"claims": {"exp": None}},
    "expiry that is no number": {"claims": {"exp": "tomorrow"}},
    "from the future": {"claims": {"iat": 4_000_000_000, "exp": 4_000_000_060}},
    "no subject": {"claims": {"sub": None}},
    "another at_hash": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "no branch": {"claims": {"branch_no": None}},
    "a branch that is none": {"claims": {"branch_no": "../1"}},
    "a teller that is none": {"claims": {"teller_no": "<b>"}},
    "no ID token": {"answers": {"id_token": None}},
    "an ID token that is none": {"answers": {"id_token": "nonsense"}},
    "a huge ID token": {"answers": {"id_token": "a" * 20_000}},
    "no access token": {"answers": {"access_token": None}},
    "an error": {"answers": {"error": "invalid_grant", "id_token": None, "access_token": None}},
    "signed by a stranger": {"signs_with": RSAKey.generate_key(2048, {"kid": "k1"})},
    "signed by a stranger's EC key": {
        "signs_with": ECKey.generate_key("P-256", {"kid": "k1"}),
        "header": {"alg": "ES256"},
    },
    "an algorithm not of ours": {"header": {"alg": "RS512"}},
    "keyed with the public key": {"header": {"alg": "HS256"}},
    "not signed": {"header": {"alg": "none"}},
    "a key nobody published": {"header": {"kid": "k9"}},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_signs_nobody_in(house: House, liar: Liar, database: TestDatabase, wrong: str) -> None:
    lie = WRONG[wrong]
    returned, cookie = _begin(house, liar)
    for name in ("claims", "header", "answers"):
        getattr(liar, name).update(lie.get(name, {}))
    liar.signs_with = lie.get("signs_with")
    with pytest.raises(ForbiddenError) as caught:
        finish_provider_sign_in(house, returned, cookie, now=house.clock())
    assert caught.value.code == "provider-refused"
    assert database.sql("select count(*) from staff_session") == [(0,)]


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "another"},
        {"code": ""},
        {"error": "access_denied"},
        {"issuer": "https://evil.example"},  # RFC 9207
    ],
)
def test_a_wrong_return_signs_nobody_in(house: House, liar: Liar, changed: dict[str, str]) -> None:
    returned, cookie = _begin(house, liar)
    with pytest.raises(ForbiddenError):
        finish_provider_sign_in(house, returned._replace(**changed), cookie, now=house.clock())


def test_a_provider_that_names_itself_must_do_so(house: House, liar: Liar) -> None:
    liar.metadata["authorization_response_iss_parameter_supported"] = True
    returned, cookie = _begin(house, liar)
    with pytest.raises(ForbiddenError):
        finish_provider_sign_in(house, returned, cookie, now=house.clock())
    finish_provider_sign_in(house, returned._replace(issuer=liar.issuer), cookie, now=house.clock())


@pytest.mark.parametrize("cookie", ["", "k1.", "k9.AAAA", "k1.!!!", "another browser's"])
def test_another_browsers_answer_signs_nobody_in(house: House, liar: Liar, cookie: str) -> None:
    """Whoever makes a clerk follow a link with the attacker's code signs nobody in (session fixation)."""
    returned, mine = _begin(house, liar)
    if cookie.startswith("another"):
        _, cookie = begin_provider_sign_in(house, "/", now=house.clock())
    with pytest.raises(ForbiddenError):
        finish_provider_sign_in(house, returned, cookie, now=house.clock())
    with pytest.raises(ForbiddenError) as caught:
        finish_provider_sign_in(house, returned, mine, now=house.clock() + timedelta(minutes=10))
    assert caught.value.code == "sign-in-expired"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"jwks_uri": None},
    ],
)
def test_metadata_of_another_is_refused(house: House, liar: Liar, metadata: dict[str, Any]) -> None:
    liar.metadata.update(metadata)
    with pytest.raises(ForbiddenError):
        begin_provider_sign_in(house, "/", now=house.clock())


def test_no_role_here_is_said_so(house: House, liar: Liar) -> None:
    liar.claims["roles"] = ["canteen"]
    with pytest.raises(ForbiddenError) as caught:
        finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())
    assert caught.value.code == "provider-no-role"


def test_groups_lead_to_roles_as_configured(house: House, liar: Liar, made: Development) -> None:
    mapped = _settings(made, liar.issuer, roles={"GY_01": "clerk", "SQ_01": "supervisor"})
    other = replace(house, identity=bank_identity.create_client(mapped))
    liar.claims["roles"] = ["GY_01", "auditor", "canteen"]
    done, _ = finish_provider_sign_in(other, *_begin(other, liar), now=house.clock())
    assert done.account.roles == {Role.CLERK}  # a group nobody mapped gives nothing, whatever it is called
    with pytest.raises(GatewayError):
        bank_identity.create_client(_settings(made, liar.issuer, roles={"x": "emperor"}))


def test_who_is_switched_off_here_stays_out(house: House, liar: Liar) -> None:
    finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())
    switch_staff(house, "P001", False, by="test", now=house.clock())
    with pytest.raises(ForbiddenError) as caught:
        finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())
    assert caught.value.code == "account-disabled"


def test_a_teller_number_of_another_is_refused(house: House, liar: Liar) -> None:
    add_person(house, "P001")
    with pytest.raises(ConflictError):
        finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())


def test_a_provider_that_is_away_is_said_so(house: House, made: Development) -> None:
    away = bank_identity.create_client(_settings(made, f"https://127.0.0.1:{free_port()}"))
    with pytest.raises(UnavailableError):
        begin_provider_sign_in(replace(house, identity=away), "/", now=house.clock())


def test_an_unsigned_token_is_what_it_says() -> None:
    assert unsigned({"a": 1}).endswith(".")


class _Dies:
    """Exchanges the code, and the process ends before anything is stored."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def exchange(self, *asked: Any) -> Any:
        self._inner.exchange(*asked)
        raise SystemExit


def test_killed_after_the_exchange_one_signs_in_again(
    house: House, liar: Liar, database: TestDatabase
) -> None:
    returned, cookie = _begin(house, liar)
    with pytest.raises(SystemExit):
        finish_provider_sign_in(
            replace(house, identity=_Dies(house.identity)), returned, cookie, now=house.clock()
        )
    assert database.sql("select count(*) from staff") == [(0,)]
    assert finish_provider_sign_in(house, *_begin(house, liar), now=house.clock())


def test_a_provider_nobody_here_wrote_signs_a_clerk_in_and_out(postgres: Embedded, tmp_path: Path) -> None:
    folder = install_provider()
    if folder is None:
        pytest.skip("no Node here, or npm fetched nothing: .ci/run has both")
    people = {
        "anna": {"name": "测试甲", "roles": ["clerk"], "branch_no": "330109001", "teller_no": "P001"},
        "carl": {"name": "测试丙", "branch_no": "330109001", "teller_no": "P003"},
    }
    port, state = free_port(), tmp_path / "state"
    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(state)}))
    neighbours = tmp_path / "neighbours.toml"
    neighbours.write_text(
        f'[bank_identity]\naddress = "https://127.0.0.1:{port}"\nclient_id = "gateway"\nsandbox = true\n'
        f'key_file = "{made.assertion("lijiayuan")[0]}"\nca_file = "{made.ca_cert}"\n'
    )
    with (
        scratch_database(postgres) as database,
        served_gateway(
            database, tmp_path, web_processes="1", neighbours_file=str(neighbours), staff_directory="false"
        ) as served,
        real_provider(folder, made, people, port, served.url),
    ):
        browser = Browser(served.url, made.ca_cert)
        page = browser.get("/staff/sign-in").text
        assert "使用行内统一身份登录" in page
        assert 'name="password"' not in page
        back = walk_in(browser.get("/staff/provider?next=/staff/"), browser.session, "anna", served.url)
        assert query_of(back)["iss"] == f"https://127.0.0.1:{port}"
        entered = browser.get(back.removeprefix(served.url))
        assert (entered.status_code, entered.headers["Location"]) == (303, "/staff/"), entered.text
        assert "P001" in browser.get("/staff/").text
        again = browser.get(back.removeprefix(served.url))  # the same answer once more
        assert again.status_code == 403
        left = browser.post("/staff/sign-out", page="/staff/")
        there = left.text.partition('href="https://127.0.0.1:')[2].partition('"')[0].replace("&amp;", "&")
        asked = browser.session.get(f"https://127.0.0.1:{there}", timeout=20)
        assert asked.status_code == 200, asked.text[:300]
        assert "form" in asked.text
        assert browser.get("/staff/").status_code == 303
        browser.close()
        other = Browser(served.url, made.ca_cert)
        back = walk_in(other.get("/staff/provider"), other.session, "carl", served.url)
        refused = other.get(back.removeprefix(served.url))
        assert refused.status_code == 403
        assert "没有给您本系统的权限" in refused.text
        other.close()
