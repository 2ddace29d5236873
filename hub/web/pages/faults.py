"""What a browser shows where something is refused, missing or broken.

Knows which sentence goes with which status. Must not tell details of our own mistakes.
"""

from __future__ import annotations

import flask
import structlog
from werkzeug.exceptions import HTTPException

from hub.core.errors import HubError, Inconsistent, Unreachable
from hub.web import errors
from hub.web.pages import sheets
from hub.web.pages.blueprint import HEADERS
from hub.web.pages.language import say

_log = structlog.get_logger("hub.web")


def register(app: flask.Flask) -> None:
    """Answer browsers with pages; everybody else gets what `hub.web.errors` says."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(HubError, _own)
    app.register_error_handler(Exception, _bug)


def _http(error: HTTPException) -> flask.typing.ResponseReturnValue:
    original = getattr(error, "original_exception", None)
    if isinstance(original, HubError):
        # From where the session is looked up, before any page is asked.
        return _own(original)
    status = error.code or 500
    if status < 400 or not errors.wants_page(flask.request):
        return errors.answer_to_http(error)
    response = fault_page(status)
    for name, value in error.get_response(flask.request.environ).headers.items():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _own(error: HubError) -> flask.typing.ResponseReturnValue:
    if not errors.wants_page(flask.request):
        return errors.answer_to(error)
    if isinstance(error, Inconsistent):
        _log.error("inconsistent", code=error.code, exc_info=error)
    elif isinstance(error, Unreachable):
        _log.warning("unreachable", code=error.code, transient=error.transient)
    return fault_page(int(errors.status_of(error)))


def _bug(error: Exception) -> flask.typing.ResponseReturnValue:
    if not errors.wants_page(flask.request):
        return errors.answer_to_bug(error)
    _log.error("unforeseen", kind=type(error).__name__, exc_info=error)
    return fault_page(500)


def fault_page(status: int) -> flask.Response:
    """The page of a status, in two sentences: what happened, and what to do now."""
    table = {
        400: (say("页面已过期"), say("为了保护您的信息，页面打开太久后需要重新进入。请返回上一页刷新后再提交。")),
        403: (say("没有权限"), say("您的账号没有查看此页的权限。如需查看，请联系本机构的管理人员。")),
        404: (say("找不到此页"), say("网址可能有误，或者这项内容已不存在。请从首页重新进入。")),
        405: (say("无法直接打开此页"), say("请从首页进入，按页面提示操作。")),
        409: (say("状态已经改变"), say("这项内容刚刚被处理过。请返回上一页刷新后查看。")),
        413: (say("提交的内容过大"), say("请减少内容后重新提交。")),
        422: (say("无法办理"), say("提交的内容不符合要求。请返回上一页核对后重新提交。")),
        429: (say("操作过于频繁"), say("为了防止信息被他人试探，请稍等几分钟再试。您已填写的内容不会丢失。")),
        503: (say("暂时无法连接"), say("参保地系统或数据库暂时没有回应。您已填写的内容不会丢失，请几分钟后再试。")),
    }
    title, text = table.get(
        status, (say("系统出现问题"), say("不是您的操作造成的，我们已收到报告。请稍后再试，没有任何内容被改动。"))
    )
    try:
        response = sheets.page("fault.html", status, title=title, text=text, number=status)
    except Exception:  # noqa: BLE001 - the page itself may need what is broken; then two bare sentences must do.
        response = flask.Response(f"{title}\n{text}\n", status=status, mimetype="text/plain")
    response.headers.update(HEADERS)
    return response
