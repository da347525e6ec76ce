"""What carriers see of a parcel, by number: the statuses of tracking in English and Chinese."""

from __future__ import annotations

from typing import Final

STATUSES: Final = {
    1: ("Order generated", "订单已生成"),
    2: ("Picked up", "已揽收"),
    3: ("Arrived at the first sorting center", "到达首个分拣中心"),
    4: ("Processed at the first sorting center", "首个分拣中心处理中"),
    5: ("Left the first sorting center", "离开首个分拣中心"),
    6: ("Returned by the first sorting center", "首个分拣中心退件"),
    7: ("Arrived at the carrier", "到达承运商"),
    8: ("Processed at the carrier", "承运商处理中"),
    9: ("Left the carrier", "离开承运商"),
    10: ("Returned by the carrier", "承运商退件"),
    11: ("Arrived at customs of the country of origin", "到达出口海关"),
    12: ("Customs of the country of origin failed", "出口清关失败"),
    13: ("Left customs of the country of origin", "离开出口海关"),
    14: ("Flight planned", "已安排航班"),
    15: ("Arrived at the airport of origin", "到达始发机场"),
    16: ("Flown to the country of destination", "已飞往目的国"),
    17: ("Arrived at customs of the country of destination", "到达进口海关"),
    18: ("Customs of the country of destination failed", "进口清关失败"),
    19: ("Left customs of the country of destination", "离开进口海关"),
    20: ("Arrived in the country of destination", "到达目的国"),
    21: ("Arrived at the delivery office", "到达投递局"),
    22: ("Delivery attempted", "尝试投递"),
    23: ("Delivered", "已妥投"),
    24: ("Signed for", "已签收"),
    25: ("Returned from abroad", "境外退回"),
    26: ("Being shipped", "运输途中"),
    27: ("Tracking ended", "跟踪结束"),
    28: ("Arrived at the transfer hub", "到达中转枢纽"),
    29: ("Left the transfer hub", "离开中转枢纽"),
    30: ("Arrived at the airport of destination", "到达目的机场"),
}


def status_words(number: int, locale: str) -> str:
    """What a status means, in a language of this service."""
    return STATUSES[number][1 if locale == "zh" else 0]
