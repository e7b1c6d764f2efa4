"""Whether the records of a file fit together: what is attached is what was recorded, nothing in the chain is left out."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.contributions.digests import item_digest
from gateway.verifier.goods_checks import EVENT, MOVED, PRICE_SET, check_redemptions
from gateway.verifier.statements import Statement, tampered

_ByRow = Mapping[tuple[str, str], Statement]
_HIDDEN_IN_BODY = ("subject_id", "subject_kind", "applicant_id", "outcome", "score_centi", "discount_bp", "limit_increase_fen",
                   "final_rate_bp")  # fmt: skip
_PROPOSED = ("subject_id", "applicant_id", "discount_bp", "limit_increase_fen")


def check_together(statements: Sequence[Statement], about_kind: str, about_id: str, id_no: str) -> None:
    """Raises TamperedError with the first thing that does not fit. For a period, records stand alone and without a gap."""
    by_row = {(one.kind, one.row_id): one for one in statements}
    if len(by_row) != len(statements):
        raise tampered("a record stands twice in the file", where="statements")
    if about_kind == "period":
        _check_gapless(statements)
        return
    for one in statements:
        check = _CHECKS.get(one.kind)
        if check is not None:
            check(one, by_row)
        elif one.attached:
            raise tampered("something is attached that the record does not speak of", where=one.where)
    _check_moves(statements)
    redeemed = check_redemptions(statements)
    if about_kind == "redemption":
        _check_one_redemption(statements, redeemed, about_id)
        return
    _check_about(statements, by_row, about_kind, about_id, id_no)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _need(by_row: _ByRow, kind: str, row_id: str, one: Statement) -> Statement:
    found = by_row.get((kind, row_id))
    if found is None:
        raise tampered(f"the {kind} {row_id} it rests on is left out of the file", where=one.where)
    return found


def _attached(one: Statement, names: set[str]) -> Mapping[str, Any]:
    if set(one.attached) != names:
        raise tampered(
            f"what must be attached to it is {sorted(names)}, found {sorted(one.attached)}", where=one.where
        )
    return one.attached


def _check_decision(one: Statement, by_row: _ByRow) -> None:
    content, attached = one.content, _attached(one, {"facts", "body"})
    for name in ("facts", "body"):
        if _sha256(attached[name]) != content[f"{name}_sha256"]:
            raise tampered(f"the {name} of the decision shown are not those decided on", where=one.where)
    decided, facts = json.loads(attached["body"]), json.loads(attached["facts"])
    for name in _HIDDEN_IN_BODY:
        if decided[name] != content[name]:
            raise tampered(f"the decision's trace and its result differ in {name}", where=one.where)
    if [reason["code"] for reason in decided["reasons"]] != content["reason_codes"]:
        raise tampered("the decision's trace and its result differ in their reasons", where=one.where)
    if (facts["subject_id"], facts["as_of_on"]) != (content["subject_id"], one.body["as_of_on"]):
        raise tampered("the facts are those of another subject or day", where=one.where)
    ruleset_id = one.body["ruleset_id"]
    if decided["ruleset_id"] != ruleset_id:
        raise tampered("the trace follows another ruleset than the record names", where=one.where)
    _need(by_row, "ruleset_proposed", ruleset_id, one)
    approved = _need(by_row, "ruleset_approved", ruleset_id, one)
    if approved.body["valid_from_on"] > one.body["as_of_on"]:
        raise tampered("the ruleset was not in force on the day of the decision", where=one.where)


def _check_ruleset(one: Statement, by_row: _ByRow) -> None:
    document = _attached(one, {"document", "yaml"})
    if not _sha256(document["document"]) == one.body["document_sha256"] == one.row_id:
        raise tampered("the ruleset shown is not the one that was proposed", where=one.where)
    if _sha256(document["yaml"]) != one.body["yaml_sha256"]:
        raise tampered(
            "the ruleset's text with its references is not the one that was proposed", where=one.where
        )


def _check_approval(one: Statement, by_row: _ByRow) -> None:
    _attached(one, set())
    if one.body["approved_by"] == one.body["proposed_by"]:
        raise tampered("the ruleset was approved by the person who proposed it", where=one.where)


def _check_proposal(one: Statement, by_row: _ByRow) -> None:
    _attached(one, set())
    decision = _need(by_row, "decision", one.body["decision_id"], one)
    for name in _PROPOSED:
        if one.content[name] != decision.content[name]:
            raise tampered(f"what was proposed to the bank is not what was decided: {name}", where=one.where)
    if one.content["decision_sha256"] != decision.content["body_sha256"]:
        raise tampered("the proposal was made of another decision", where=one.where)


def _check_part_of_proposal(one: Statement, by_row: _ByRow) -> None:
    _attached(one, set())
    _need(by_row, "proposal", one.body["proposal_id"], one)


def _check_consent(one: Statement, by_row: _ByRow) -> None:
    _attached(one, {"salt"} if "salt" in one.attached else set())


def _check_withdrawal(one: Statement, by_row: _ByRow) -> None:
    _check_consent(one, by_row)
    _need(by_row, "consent_given", one.row_id, one)


def _check_batch(one: Statement, by_row: _ByRow) -> None:
    """The items shown are among those that were accepted in this push."""
    attached = _attached(one, {"digests", "items"})
    joined = bytes.fromhex(attached["digests"])
    if hashlib.sha256(joined).hexdigest() != one.body["items_sha256"]:
        raise tampered("the digests of the push's items are not those that were recorded", where=one.where)
    if len(joined) != 32 * one.body["accepted_count"]:
        raise tampered("the push had another number of items", where=one.where)
    for at, row in attached["items"]:
        if (
            type(at) is not int
            or at < 0
            or item_digest(one.body["town"], one.row_id, row) != joined[32 * at : 32 * at + 32]
        ):
            raise tampered(f"item {row[0]} of a push is not what was recorded of it", where=one.where)


_CHECKS: dict[str, Callable[[Statement, _ByRow], None]] = {
    "decision": _check_decision,
    "ruleset_proposed": _check_ruleset,
    "ruleset_approved": _check_approval,
    "proposal": _check_proposal,
    "proposal_answer": _check_part_of_proposal,
    "proposal_revocation": _check_part_of_proposal,
    "consent_given": _check_consent,
    "consent_withdrawn": _check_withdrawal,
    "contribution_batch": _check_batch,
}


def _check_moves(statements: Sequence[Statement]) -> None:
    """The events of a proposal lead from one state to the next: one that is left out leaves a gap."""
    events: defaultdict[str, list[Statement]] = defaultdict(list)
    for one in statements:
        if one.kind == "proposal_answer":
            events[one.body["proposal_id"]].append(one)
    for proposal_id, found in events.items():
        state = "proposed"
        for one in sorted(found, key=lambda event: event.leaf):
            if one.body["from_state"] != state:
                raise tampered(
                    f"an event of proposal {proposal_id} is left out before this one", where=one.where
                )
            state = one.body["to_state"]


def _check_one_redemption(
    statements: Sequence[Statement], redeemed: Mapping[str, Statement], about_id: str
) -> None:
    if set(redeemed) != {about_id}:
        raise tampered("the redemption the file is about is not in it, or another one is", where="about")
    for one in statements:
        if one.kind not in (EVENT, MOVED, PRICE_SET):
            raise tampered(
                "a record is in the file that has nothing to do with a redemption", where=one.where
            )


def _check_about(
    statements: Sequence[Statement], by_row: _ByRow, about_kind: str, about_id: str, id_no: str
) -> None:
    if about_kind == "decision":
        if ("decision", about_id) not in by_row:
            raise tampered("the decision the file is about is not in it", where="about")
        return
    if about_kind != "resident":
        raise tampered("the file does not say what it is about", where=f"about {about_kind}")
    person_id = int(about_id)
    for one in statements:
        _check_owner(one, by_row, person_id)
        if id_no and one.kind.startswith("consent_"):
            _check_person(one, id_no)
    if id_no and not any(one.kind == "consent_given" for one in statements):
        raise tampered("no consent in the file says who the person is", where="about")


def _check_owner(one: Statement, by_row: _ByRow, person_id: int) -> None:
    """What the record speaks of is this person's."""
    if one.kind.startswith("consent_") and one.body["person_id"] != person_id:
        raise tampered("a consent of somebody else is in the file", where=one.where)
    if one.kind == "contribution_batch" and any(
        row[6] not in (person_id, 0) for _, row in one.attached["items"]
    ):
        raise tampered("points of somebody else are in the file", where=one.where)
    if one.kind == EVENT and person_id not in (one.body["person_id"], one.body["proxy_person_id"]):
        raise tampered("a redemption of somebody else is in the file", where=one.where)
    if one.kind == "objection_received" and one.body["person_id"] != person_id:
        raise tampered("an objection of somebody else is in the file", where=one.where)
    if one.kind == "objection_event":
        _need(by_row, "objection_received", one.body["objection_id"], one)
    if one.kind == "decision" and person_id not in (one.content["subject_id"], one.content["applicant_id"]):
        raise tampered("a decision about somebody else is in the file", where=one.where)


def _check_person(one: Statement, id_no: str) -> None:
    salt = one.attached.get("salt")
    if not salt:
        raise tampered(
            "the file does not carry what would show whose it is; ask for one with --with-identity",
            where=one.where,
        )
    if hashlib.sha256(bytes.fromhex(salt) + id_no.encode()).hexdigest() != one.body["commitment"]:
        raise tampered(
            "the records are of another person than the one with this resident id", where=one.where
        )


def _check_gapless(statements: Sequence[Statement]) -> None:
    first = statements[0].leaf
    for offset, one in enumerate(statements):
        if one.leaf != first + offset:
            raise tampered(f"leaf {first + offset} is left out of the period", where=one.where)
        if one.attached:
            raise tampered("a period's records stand without what their digests name", where=one.where)
