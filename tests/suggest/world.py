"""A small code book of diagnoses, and rows of a region that ask for it."""

from hub.suggest.rows import Decided, Rows

BOOK = {
    "A09.000": "感染性腹泻",
    "B18.100": "慢性乙型病毒性肝炎",
    "C16.900": "胃恶性肿瘤",
    "D25.900": "子宫平滑肌瘤",
    "E11.900": "2型糖尿病",
    "E14.300": "糖尿病伴有眼的并发症",
    "I10.x00": "特发性原发性高血压",
    "I63.900": "脑梗死",
    "J18.900": "肺炎",
    "J20.900": "急性支气管炎",
    "J42.x00": "慢性支气管炎",
    "K29.500": "慢性胃炎",
    "K35.800": "急性阑尾炎",
    "K36.x00": "慢性阑尾炎",
    "L89.200": "压疮3期",
    "N20.000": "肾结石",
    "N20.100": "输尿管结石",
    "S52.500": "桡骨下端骨折",
    "S52.501": "桡骨下端开放性骨折",
    "S82.200": "胫骨骨干骨折",
}


def book(entries=None):
    found = BOOK if entries is None else entries
    return Rows(list(found), {"code": list(found), "name": list(found.values())})


def asked(*names, codes=None):
    columns = {"name": list(names)}
    if codes is not None:
        columns["code"] = list(codes)
    return Rows([str(number + 1) for number in range(len(names))], columns)


def decided(candidates, pairs):
    """Decided mappings: (name, code of the target)."""
    place = {code: at for at, code in enumerate(candidates.ids)}
    return Decided(asked(*(name for name, _ in pairs)), [(place[code],) for _, code in pairs])
