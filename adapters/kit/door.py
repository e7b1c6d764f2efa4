"""Scenarios of part 'door': the town's pushes through a served gateway. What is not right is refused and nothing is stored."""

from __future__ import annotations

from collections import Counter

from adapters.kit.reading import UNKNOWN_WORD
from adapters.kit.scenario import expect, expect_equal, scenario
from adapters.kit.speech import Item, changed
from adapters.kit.subject import Door, DoorAnswer


def fresh(it: Door, count: int = 1) -> list[Item]:
    """Good items with references never used before."""
    word, first = it.reading.town.speech.words.reference, it.reading.first()
    return [changed(first, **{word: f"{it.key()}".replace("-", "")}) for _ in range(count)]


def push(it: Door, items: list[Item], key: str | None = None) -> DoorAnswer:
    """Send a batch of these items."""
    return it.sender.push(it.reading.document(items), key or it.key())


def _answered(answer: DoorAnswer, *statuses: str) -> None:
    seen = answer.statuses or (answer.code,)
    expect_equal(seen, statuses, "条目的答复不对", "the items are answered wrong")


@scenario(
    "door-accepted",
    "推送被接收，落库并得到回执",
    "a push is accepted, stored and receipted",
    needs=("pushes", "items"),
)
def accepted(it: Door) -> None:
    before = it.stored()
    answer = push(it, fresh(it, 3))
    _answered(answer, "accepted", "accepted", "accepted")
    expect_equal(it.stored(), before + 3, "没有落库", "it is not stored")
    expect(answer.receipt.count(".") == 2, "没有回执", "there is no receipt", seen=answer.receipt[:20])


@scenario(
    "door-same-push",
    "同一批再送一次，得到同样的答复，只存一次",
    "the same push again gets the same answer, and is stored once",
    needs=("pushes", "items"),
)
def same_push(it: Door) -> None:
    before, key, items = it.stored(), it.key(), fresh(it, 2)
    first, again = push(it, items, key), push(it, items, key)
    expect_equal(again.raw, first.raw, "第二次答复不同", "the second answer differs")
    expect_equal(it.stored(), before + 2, "存了两次", "it is stored twice")


@scenario(
    "door-duplicate",
    "同样的条目换一批再送，是重复",
    "the same item in another push is a duplicate",
    needs=("pushes", "items"),
)
def duplicate(it: Door) -> None:
    items = fresh(it)
    _answered(push(it, items), "accepted")
    before = it.stored()
    _answered(push(it, items), "duplicate")
    expect_equal(it.stored(), before, "重复却又落库", "a duplicate is stored")


@scenario(
    "door-conflict",
    "同一引用号、内容不同，是冲突",
    "the same reference with other content is a conflict",
    needs=("pushes", "items"),
)
def conflict(it: Door) -> None:
    items = fresh(it)
    _answered(push(it, items), "accepted")
    before = it.stored()
    other = changed(items[0], **{it.reading.town.speech.words.points: "7"})
    _answered(push(it, [other]), "conflict")
    expect_equal(it.stored(), before, "冲突却落库", "a conflict is stored")


@scenario(
    "door-correction",
    "更正（冲回）被接收，原条目不改",
    "a correction is accepted as a new item that names the old",
    needs=("pushes", "items"),
)
def correction(it: Door) -> None:
    back = it.reading.town.correction
    expect(back is not None, "没有说明怎样更正", "the town does not say how it corrects")
    items = fresh(it)
    _answered(push(it, items), "accepted")
    taken = back(items[0]) if back else items[0]
    _answered(push(it, [taken]), "accepted")
    _answered(push(it, [taken]), "duplicate")


@scenario(
    "door-unknown-word",
    "没见过的活动代码进入待核实，不落账",
    "a word never seen goes to quarantine",
    needs=("pushes", "items"),
)
def unknown_word(it: Door) -> None:
    before = it.stored()
    word = it.reading.town.speech.words.activity
    answer = push(it, [changed(fresh(it)[0], **{word: UNKNOWN_WORD}), *fresh(it)])
    _answered(answer, "quarantined", "accepted")
    expect_equal(it.stored(), before + 1, "待核实的条目落了账", "a quarantined item is stored")


@scenario(
    "door-wrong-item",
    "写错的条目被拒绝，其余照收",
    "a wrong item is rejected and the others are taken",
    needs=("pushes", "items"),
)
def wrong_item(it: Door) -> None:
    before = it.stored()
    person = it.reading.town.speech.words.person  # its value: what a schema refuses whole is another matter
    field, value, code = next(wrong for wrong in it.reading.town.wrong if wrong[0] == person and wrong[1])
    answer = push(it, [*fresh(it), changed(fresh(it)[0], **{field: value})])
    _answered(answer, "accepted", "rejected")
    expect_equal(answer.codes, (code,), "拒绝代码不对", "it is rejected with another code")
    expect_equal(it.stored(), before + 1, "写错的条目落了库", "the wrong item is stored")


@scenario(
    "door-no-consent",
    "没有同意的人，不留任何信息",
    "of a person without consent nothing is kept",
    needs=("pushes", "items"),
)
def no_consent(it: Door) -> None:
    before = it.stored()
    stranger = changed(fresh(it)[0], **{it.reading.town.speech.words.person: NOBODY})
    answer = push(it, [stranger])
    _answered(answer, "rejected")
    expect_equal(it.stored(), before, "没有同意却落库", "it is stored without consent")
    expect(NOBODY.encode() not in answer.raw, "答复里有身份证号", "the answer repeats the person")


@scenario(
    "door-forged",
    "签名或凭证不对的推送被拒绝，什么也不存",
    "a push with a wrong signature or credential is refused and nothing is stored",
    needs=("pushes",),
)
def forged(it: Door) -> None:
    expect(len(it.sender.forgeries) > 0, "没有说明怎样伪造", "the town does not say what can be forged")
    before = it.stored()
    for how in it.sender.forgeries:
        answer = it.sender.push_forged(it.reading.document(fresh(it)), it.key(), how)
        refused = answer.status >= 400 and not answer.statuses and bool(answer.code)
        expect(
            refused,
            f"伪造（{how}）未被拒绝",
            f"a forgery ({how}) is not refused",
            wanted="refused",
            seen=answer.status,
        )
    expect_equal(it.stored(), before, "伪造的推送落了库", "a forged push is stored")


@scenario(
    "door-largest-page", "最大的一页一次收下", "the largest page is taken at once", needs=("pushes", "items")
)
def largest_page(it: Door) -> None:
    most = it.reading.reader.capabilities.max_items
    answer = push(it, fresh(it, most))
    expect_equal(
        dict(Counter(answer.statuses)),
        {"accepted": most},
        "最大页没有全部接收",
        "the largest page is not all accepted",
    )


@scenario(
    "door-list-twice",
    "同一张得分表送两次，答复相同，只算一次",
    "the same score list twice gets the same answer and moves points once",
    needs=("pushes", "lists"),
)
def list_twice(it: Door) -> None:
    key, before = it.key(), it.stored()
    first = it.sender.push(it.reading.push, key)
    expect(
        first.status == 200 and first.receipt.count(".") == 2,
        "得分表未被接收",
        "the list is not taken",
        seen=first.code,
    )
    stored = it.stored()
    expect(stored > before, "得分表没有落库", "nothing of the list is stored")
    again = it.sender.push(it.reading.push, key)
    expect_equal(again.raw, first.raw, "第二次答复不同", "the second answer differs")
    expect_equal(it.stored(), stored, "存了两次", "it is stored twice")


@scenario(
    "door-encoding",
    "编码不对的报文被拒绝，什么也不存",
    "a message in the wrong encoding is refused and nothing is stored",
    needs=("pushes", "items", "rest"),
)
def encoding(it: Door) -> None:
    before = it.stored()
    word = it.reading.town.speech.words.activity
    text = it.reading.document([changed(fresh(it)[0], **{word: "垃圾分类"})]).decode()
    answer = it.sender.push(text.encode("gb18030"), it.key())
    expect(
        answer.status == 400 and bool(answer.code),
        "编码不对未被拒绝",
        "it is not refused",
        wanted=400,
        seen=answer.status,
    )
    expect_equal(it.stored(), before, "编码不对却落库", "it is stored")


#: an invented resident id that nobody registers: the county code 330199 was never given to a county
NOBODY = "330199197001010012"
