"""What the sandbox sends: an answer, and Kiwoom's failures in Kiwoom's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SUCCESS = "정상적으로 처리되었습니다"
JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"

TEXTS = {
    "1700": "허용된 API 요청 개수를 초과하였습니다",
    "1701": "허용된 전체 요청 개수를 초과하였습니다",
    "1702": "허용된 그룹 요청 개수를 초과하였습니다",
    "1999": "예기치 못한 에러가 발생했습니다",
    "8001": "App Key와 Secret Key 검증에 실패했습니다",
    "8002": "App Key와 Secret Key 검증에 실패했습니다",
    "8003": "Access Token을 조회하는데 실패했습니다",
    "8005": "Token이 유효하지 않습니다",
    "8006": "Access Token을 생성하는데 실패했습니다",
    "8009": "Access Token을 발급하는데 실패했습니다",
    "8010": "Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다",
    "8011": "grant_type이 들어오지 않았습니다",
    "8012": "grant_type의 값이 맞지 않습니다",
    "8015": "Access Token을 폐기하는데 실패했습니다",
    "8016": "Access Token을 폐기하는데 실패했습니다",
    "8020": "appkey 또는 secretkey가 들어오지 않았습니다",
    "8030": "투자구분(실전/모의)이 달라서 Appkey를 사용할수가 없습니다",
    "8031": "투자구분(실전/모의)이 달라서 Token를 사용할수가 없습니다",
    "8040": "단말기 인증에 실패했습니다",
    "8050": "IP가 등록되지 않았습니다. 키움 REST API 홈페이지 > API 사용신청 화면에서 IP를 등록해주세요.",
    "8103": "단말기 인증에 실패했습니다",
    "8200": "법인 고객은 해당 API를 지원하지 않습니다",
}
"""Kiwoom's error codes and their texts, from the guide."""

_INPUT_CODES = {"8011", "8012", "8020"}


class Answer(NamedTuple):
    """An HTTP answer. `wait` is in seconds before the first byte, `byte_every` between two (None sends all at once),
    `clock_ahead` by how much the `Date` header is wrong.
    """

    status: int
    content: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    byte_every: float | None = None
    clock_ahead: float = 0.0


def json_answer(status: int, fields: Mapping[str, object]) -> Answer:
    return Answer(status, json.dumps(fields, ensure_ascii=False).encode())


def failure(code: str) -> dict[str, object]:
    """Return a refusal as Kiwoom words it: a generic code outside, the one that matters inside."""
    if code.startswith("17"):
        outer, text = 5, "허용된 요청 개수를 초과하였습니다"
    elif code in _INPUT_CODES:
        outer, text = 2, "입력 값 오류입니다"
    else:
        outer, text = 3, "인증에 실패했습니다"
    return {"return_code": outer, "return_msg": f"{text}[{code}:{TEXTS[code]}]"}
