"""The rule book of 五和众联: 10 general rules, 30 bonus items, 20 deductions, each with its words and our category.

How many items there are is published (domain.md); the words and codes are ours until the town publishes its own. A version is
adopted formally and named on every list. The letter of a code says the direction: G and B add, D takes off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.values import Category


class Item(NamedTuple):
    """One item of the rule book: what it counts as here, and its words."""

    category: Category
    zh: str
    en: str


#: versions of the rule book that this adapter knows; another is kept in quarantine until an operator adds `RuleBook/<version>`
RULE_BOOKS: Final = frozenset({"2024", "2025", "2026"})
RULE_BOOK_CODE: Final = "RuleBook/"

_S, _H, _P, _C, _V = (
    Category.SORTING,
    Category.HYGIENE,
    Category.PATROL,
    Category.CHARITY,
    Category.VOLUNTEERING,
)
_L, _N, _M, _X = Category.LEARNING, Category.NEIGHBOURLY, Category.CIVILITY, Category.CONDUCT

ITEMS: Final[Mapping[str, Item]] = {
    "G01": Item(_S, "垃圾分类投放正确", "waste sorted rightly"),
    "G02": Item(_H, "房前屋后整洁", "house front and yard tidy"),
    "G03": Item(_H, "庭院绿化养护", "courtyard greenery kept"),
    "G04": Item(_S, "污水规范接入", "waste water connected as ruled"),
    "G05": Item(_P, "消防通道畅通", "fire lane kept free"),
    "G06": Item(_M, "遵守村规民约", "village charter kept"),
    "G07": Item(_N, "邻里和睦", "neighbours on good terms"),
    "G08": Item(_M, "家庭和美、孝老爱亲", "family in harmony, elders cared for"),
    "G09": Item(_L, "参加村民培训", "villagers' course attended"),
    "G10": Item(_M, "参加村民会议", "village meeting attended"),
    "B01": Item(_V, "参加志愿服务", "volunteer service"),
    "B02": Item(_V, "清理河道", "river cleaned"),
    "B03": Item(_V, "活动志愿者", "steward at an event"),
    "B04": Item(_V, "探望独居老人", "visit to the lonely old"),
    "B05": Item(_V, "上学路护学岗", "school road guard"),
    "B06": Item(_C, "无偿献血", "blood given"),
    "B07": Item(_C, "慈善捐款", "money given to charity"),
    "B08": Item(_C, "捐赠衣物图书", "clothes or books given"),
    "B09": Item(_C, "助学帮困", "help to pupils in need"),
    "B10": Item(_P, "平安巡防", "safety patrol"),
    "B11": Item(_P, "上报安全隐患", "danger reported"),
    "B12": Item(_P, "防汛值守", "flood watch"),
    "B13": Item(_P, "森林防火值守", "forest fire watch"),
    "B14": Item(_N, "调解邻里纠纷", "quarrel of neighbours settled"),
    "B15": Item(_N, "邻里互助", "help to a neighbour"),
    "B16": Item(_N, "拾金不昧", "found property returned"),
    "B17": Item(_N, "见义勇为", "courage in another's need"),
    "B18": Item(_M, "获评文明家庭", "named civil family"),
    "B19": Item(_M, "获评最美庭院", "named finest courtyard"),
    "B20": Item(_M, "婚事新办、丧事简办", "simple wedding or funeral"),
    "B21": Item(_M, "家风故事分享", "family story shared"),
    "B22": Item(_L, "反诈学习", "fraud prevention learned"),
    "B23": Item(_L, "应急救护培训", "first aid course"),
    "B24": Item(_L, "农技培训", "farming course"),
    "B25": Item(_L, "全民阅读活动", "reading event"),
    "B26": Item(_H, "认领公共绿地", "public green adopted"),
    "B27": Item(_H, "主动拆除违建", "unlawful building taken down by oneself"),
    "B28": Item(_S, "可回收物兑换", "recyclables brought"),
    "B29": Item(_S, "有害垃圾回收", "hazardous waste brought"),
    "B30": Item(_V, "参与民俗文化传承", "folk custom handed on"),
    "D01": Item(_S, "垃圾不分类", "waste not sorted"),
    "D02": Item(_S, "乱倒垃圾", "waste dumped"),
    "D03": Item(_S, "污水乱排", "waste water let out"),
    "D04": Item(_H, "乱堆乱放", "things piled up outside"),
    "D05": Item(_H, "禽畜散养", "animals at large"),
    "D06": Item(_H, "占用公共绿地", "public green occupied"),
    "D07": Item(_X, "违法搭建", "unlawful building"),
    "D08": Item(_X, "焚烧秸秆垃圾", "straw or waste burnt"),
    "D09": Item(_X, "车辆乱停", "vehicle parked unlawfully"),
    "D10": Item(_X, "违规燃放烟花", "fireworks against the rule"),
    "D11": Item(_X, "电动车违规充电", "electric bicycle charged unsafely"),
    "D12": Item(_X, "占用消防通道", "fire lane blocked"),
    "D13": Item(_X, "森林野外用火", "open fire in the forest"),
    "D14": Item(_X, "参与赌博", "gambling"),
    "D15": Item(_X, "酒后驾驶", "driving after drinking"),
    "D16": Item(_X, "邻里斗殴", "brawl with neighbours"),
    "D17": Item(_X, "不孝不养", "elders neglected"),
    "D18": Item(_X, "造谣传谣", "rumours spread"),
    "D19": Item(_X, "大操大办", "lavish feast against the charter"),
    "D20": Item(_X, "无理阻挠公共事务", "public work hindered without reason"),
}
