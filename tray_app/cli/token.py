"""The commands that show, issue or store the token. Each returns its exit status."""

from __future__ import annotations

import sys
import time

from tray_app.core.errors import (
    DONE,
    KIWOOM_SILENT,
    NO_TOKEN,
    BrokerError,
    InvalidInput,
    KeysRefused,
    KiwoomTokenError,
    NoToken,
    TokenRefused,
    say,
)
from tray_app.core.language import msg, tr, use
from tray_app.core.pasted import plain_number
from tray_app.core.printable import printable
from tray_app.core.profile import command_line
from tray_app.service.composition import open_service
from tray_app.service.outcome import Outcome
from tray_app.service.renewal import ENOUGH_SECONDS
from tray_app.settings.load import load_settings
from tray_app.stores import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tray_app.core.token import Token
    from tray_app.service.evidence import Evidence
    from tray_app.service.token_service import TokenService
    from tray_app.settings.load import Settings
    from tray_app.system.file_lock import Holder

_MAX_STDIN_BYTES = 65536


def opened(profile: str | None) -> tuple[Settings, TokenService]:
    """Return the settings, whose problems are printed on stderr, and the service of that profile's token."""
    settings = load_settings(profile)
    use(settings.language)
    settings.require()
    lock.on_long_wait(tell_waiting)
    if settings.problems:
        from tray_app.cli.problems import tell_problems

        tell_problems(settings.problems)
    return settings, open_service(settings)


def tell_waiting(holder: Holder) -> None:
    told = (
        msg("{program} (process {pid}) was stopped while it renewed the token. In a moment this goes on without it.")
        if holder.is_stopped
        else msg("Waiting for {program} (process {pid}), which is renewing the token…")
    )
    print(printable(tr(told, program=holder.program, pid=holder.pid)), file=sys.stderr, flush=True)


def get_(options: Namespace) -> int:
    if sys.stdout is None:
        raise KiwoomTokenError(msg("There is no output to write the token to."))
    _, service = opened(options.profile)
    from tray_app.exports.formats import FORMATS

    if options.refused:
        _report_refused(service, no_issue=options.no_issue)
    text = FORMATS[options.format](_living_token(service, options))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(newline="\n")  # a CR would become part of the token in `TOKEN=$(…)` on Windows
    print(text)
    return DONE


def _report_refused(service: TokenService, *, no_issue: bool) -> None:
    """Report the token on standard input as refused, so that Kiwoom is asked before anybody gets it again."""
    from tray_app.core.pasted import unquoted
    from tray_app.core.token import clean_token

    if sys.stdin is None or sys.stdin.isatty():
        raise InvalidInput(msg("Give the refused token on standard input."))
    service.doubt(clean_token(unquoted(_secret_from_stdin(""))))
    if no_issue and service.evidence().doubted_at:
        service.verify()


def verify_(options: Namespace) -> int:
    from tray_app.core.wording import korean_time

    _, service = opened(options.profile)
    try:
        verified = service.verify()
    except BrokerError as error:
        if not isinstance(error, (KeysRefused, TokenRefused)):
            error.exit_status = KIWOOM_SILENT  # whatever it said, it did not say whether the token works
        raise
    if not verified.is_alive:
        print(
            tr(
                "Kiwoom does not accept the token any more. It was removed here; issue a new one with: {command}",
                command=command_line("refresh", service.profile),
            )
        )
        return NO_TOKEN
    end = korean_time(verified.token.expires, time.time())
    print(tr("Kiwoom confirms it: the token works and expires at {end} (KST).", end=end))
    return DONE


def status_(options: Namespace) -> int:
    settings, service = opened(options.profile)
    token = service.current()
    service.store.check()
    now = time.time()
    if options.json:
        import json

        print(json.dumps(_status_fields(settings, service, token, now)))
    else:
        print(_status_text(settings, service, token, now))
    return DONE


def refresh_(options: Namespace) -> int:
    settings, service = opened(options.profile)
    if options.at is not None:
        return _plan_rotation(settings, service, options)
    outcome = service.refresh(rotate=options.rotate)
    print(outcome_text(outcome, time.time()))
    warn_about(outcome)
    tell_if_gone(settings)
    return DONE if outcome.unsaved is None else outcome.unsaved.exit_status


def _plan_rotation(settings: Settings, service: TokenService, options: Namespace) -> int:
    """Leave the rotation to whoever supervises the profile at that time: the tray, or `watch`."""
    from tray_app.core.trading import is_trading, next_time_of_day
    from tray_app.core.wording import korean_time
    from tray_app.service.exchange_calendar import install_holidays

    if not options.rotate:
        raise InvalidInput(msg("--at goes with --rotate: only a revoked token is replaced before it expires."))
    if options.at == "off":
        service.plan_rotation(None)
        print(tr("No reissue is planned."))
        return DONE
    now = time.time()
    install_holidays(now)
    at = next_time_of_day(options.at, now)
    if is_trading(at, settings.mode):
        raise InvalidInput(
            msg("The market is open at {time} (KST). Choose a time outside trading hours."), time=korean_time(at, now)
        )
    service.plan_rotation(at)
    when = korean_time(at, now)
    print(
        tr("The token will be revoked and reissued at {time} (KST), if the tray or watch is running then.", time=when)
    )
    return DONE


def set_(options: Namespace) -> int:
    from tray_app.core.pasted import mistake_in, unquoted
    from tray_app.core.secret import Secret
    from tray_app.core.token import token_for, token_until
    from tray_app.core.wording import duration

    settings, service = opened(options.profile)
    given = Secret(unquoted(_secret_from_stdin(tr("Token: "))))
    if mistake := mistake_in(given.reveal()):
        raise InvalidInput(mistake)
    now = time.time()
    if options.expires_dt is not None:
        token = token_until(given, options.expires_dt, now)
    else:
        token = token_for(given, _number(options.expires_in), now)
    service.put(token)
    if settings.store != "memory":
        print(tr("The token is stored; it expires in {duration}.", duration=duration(round(token.remaining(now)))))
    tell_if_gone(settings)
    return DONE


def outcome_text(outcome: Outcome, now: float) -> str:
    """Return a sentence for the result of asking Kiwoom."""
    from tray_app.core.wording import korean_time

    end = korean_time(outcome.token.expires, now)
    if outcome.how == Outcome.SAME:
        return tr("Kiwoom returned the same token; it still expires at {end} (KST).", end=end)
    if outcome.how == Outcome.ADOPTED:
        return tr("Another program has just got a new token, which expires at {end} (KST).", end=end)
    return tr("A new token was issued; it expires at {end} (KST).", end=end)


def _living_token(service: TokenService, options: Namespace) -> Token:
    if options.no_issue:
        token = service.living()
        if options.min_remaining is not None and token.remaining(time.time()) < options.min_remaining:
            raise NoToken(msg("The token is valid for less time than requested."))
        return token
    outcome = service.ensure(ENOUGH_SECONDS if options.min_remaining is None else options.min_remaining)
    warn_about(outcome)
    return outcome.token


def _status_fields(settings: Settings, service: TokenService, token: Token | None, now: float) -> dict[str, object]:
    from tray_app.api.token_manager import token_info
    from tray_app.core.state import life_of

    evidence = service.evidence(token)
    is_about = token is not None and evidence.is_about(token.value)
    confirmed_at = evidence.confirmed_at if is_about else 0.0
    given = None if token is None or service.tokens.is_gone(token) else token
    life = life_of(
        token.expires if token else None,
        now,
        is_dead=token is None and evidence.dead_at > 0,
        is_doubtful=given is None or (is_about and evidence.doubted_at > 0),
    )
    return {
        **token_info(given, now),
        "expires_at": given.expires_at.astimezone().isoformat() if given else None,
        "profile": settings.profile,
        "mode": settings.mode,
        "state": str(life),
        "store": service.store.place().kind,
        "created_at": token.created_at.astimezone().isoformat() if token else None,
        "verified_at": _iso(confirmed_at) if confirmed_at else None,
    }


def _iso(instant: float) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(instant, timezone.utc).astimezone().isoformat()


def _status_text(settings: Settings, service: TokenService, token: Token | None, now: float) -> str:
    from tray_app.core.wording import countdown, is_korean_zone, korean_time, local_time, mode_text

    evidence = service.evidence(token)
    if token is None and evidence.dead_at:
        end = korean_time(evidence.expires, now)
        life = tr("stopped working, although it should have been valid until {end} (KST)", end=end)
    elif token is None:
        life = tr("cannot be read") if service.store.place().hides_token else tr("no token")
    elif not token.is_unexpired(now):
        life = tr("expired at {end} (KST)", end=korean_time(token.expires, now))
    elif service.tokens.is_gone(token):
        command = command_line("verify", service.profile)
        life = tr("withheld, because it may have been revoked. Check with: {command}", command=command)
    else:
        life = tr(
            "{left} left, expires at {end} (KST)",
            left=countdown(token.remaining(now)),
            end=korean_time(token.expires, now),
        )
        if not is_korean_zone(token.expires):
            life += tr(", {end} here", end=local_time(token.expires, now))
    record = service.tokens.read_record()
    unanswered = record.check_failure(token, now)
    planned_at = record.rotate_at or 0.0
    planned = tr("reissue at {time} (KST)", time=korean_time(planned_at, now)) if planned_at > now else ""
    clock = clock_text(settings, service, now)
    rows = [
        (tr("Token"), life if token is None else f"{life}  {token.value.preview()}"),
        (tr("Stored in"), service.store.place().text()),
        *([] if token is None else [(tr("Confirmed by Kiwoom"), _confirmed_text(token, evidence, now))]),
        *([] if unanswered is None else [(tr("Last check"), say(unanswered))]),
        *([(tr("Planned"), planned)] if planned else []),
        *([(tr("Clock"), clock)] if clock else []),
        (tr("Profile"), f"{settings.profile} ({mode_text(settings.mode)})"),
    ]
    return "\n".join(f"{name}: {value}" for name, value in rows)


def clock_text(settings: Settings, service: TokenService, now: float) -> str:
    """Return that this computer's clock was off when Kiwoom last issued a token; empty if it was not."""
    from tray_app.core.wording import past_skew_text

    if settings.store == "redis":  # another computer may have asked
        return ""
    last = service.tokens.read_record().last
    return past_skew_text(last.skew, last.at, now)


def _confirmed_text(token: Token, evidence: Evidence, now: float) -> str:
    from tray_app.core.wording import korean_time

    if evidence.says_doubtful(token.value):
        return tr("not confirmed: it may have stopped working")
    is_confirmed = evidence.is_about(token.value) and evidence.confirmed_at
    return tr("{time} (KST)", time=korean_time(evidence.confirmed_at, now)) if is_confirmed else tr("never")


def warn_about(outcome: Outcome) -> None:
    """Print on stderr why a token that was issued could not be stored or exported, and that the clock is off."""
    if outcome.unsaved is not None:
        print(tr("The token could not be stored: {reason}", reason=say(outcome.unsaved)), file=sys.stderr)
    tell_unpublished(outcome.unpublished)
    if outcome.skew_seconds:
        from tray_app.core.wording import skew_text

        if skewed := skew_text(outcome.skew_seconds):
            print(skewed, file=sys.stderr)


def tell_if_gone(settings: Settings) -> None:
    """Print on stderr that a token which this command got is not stored, where the store is memory."""
    if settings.store == "memory":
        told = tr(
            "The token is stored nowhere: the store is memory, which ends with this command. Choose another store."
        )
        print(told, file=sys.stderr)


def tell_unpublished(errors: tuple[KiwoomTokenError, ...]) -> None:
    for error in errors:
        print(tr("The token could not be shared with other tools: {reason}", reason=say(error)), file=sys.stderr)


def _secret_from_stdin(prompt: str) -> str:
    from tray_app.cli.stdin import ask_hidden, read_stdin

    if sys.stdin is not None and sys.stdin.isatty():
        return ask_hidden(prompt)
    return read_stdin(_MAX_STDIN_BYTES)


def _number(text: str) -> float:
    try:
        return plain_number(text)
    except ValueError:
        raise InvalidInput(msg("The lifetime must be a number of seconds.")) from None
