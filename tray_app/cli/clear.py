"""`clear`: remove the token of one profile, or the tokens of every profile of this user."""

from __future__ import annotations

import sys

from tray_app.cli.token import opened, tell_waiting
from tray_app.core import logs
from tray_app.core.errors import DONE, UNEXPECTED, InvalidInput, known_error, say
from tray_app.core.language import msg, tr, use
from tray_app.core.printable import printable
from tray_app.core.profile import DEFAULT
from tray_app.service.composition import open_service
from tray_app.service.stored_profiles import profiles_with_tokens
from tray_app.settings.load import load_settings
from tray_app.stores import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tray_app.service.outcome import Cleared


def clear(options: Namespace) -> int:
    """Run `clear` and return its exit status."""
    if options.all:
        return _clear_all(options)
    _, service = opened(options.profile)
    cleared = service.clear(revoke=options.revoke)
    print(_cleared_text(cleared))
    for sentence in _leftover_texts(cleared):
        print(sentence, file=sys.stderr)
    return DONE if cleared.undeleted is None else cleared.undeleted.exit_status


def _clear_all(options: Namespace) -> int:
    """Clear one profile after the other, also after one that could not be cleared, and print a line for each that had a
    token. Return the exit status of the first failure."""
    if options.profile is not None:
        raise InvalidInput(msg("Give either --profile or --all."))
    use(load_settings(DEFAULT).language)
    lock.on_long_wait(tell_waiting)
    statuses, has_told = [], False
    for profile in profiles_with_tokens():
        try:
            cleared = _clear(profile, revoke=options.revoke)
        except Exception as error:  # noqa: BLE001 - one profile must not keep the tokens of the others
            logs.error("A profile was not cleared", cause=error)
            failure = known_error(error)
            _complain(profile, say(failure))
            statuses.append(failure.exit_status)
            continue
        if cleared.was_there:
            print(f"{printable(profile)}: {_cleared_text(cleared)}")
            has_told = True
        statuses += _complaints(profile, cleared)
    if not has_told and not statuses:
        print(tr("There was no token."))
    return next(iter(statuses), DONE)


def _clear(profile: str, *, revoke: bool) -> Cleared:
    settings = load_settings(profile)
    settings.require()
    # one of other keys cannot be revoked with these, so it stays for those who have them
    return open_service(settings).clear(revoke=revoke, of_any_keys=not revoke)


def _complaints(profile: str, cleared: Cleared) -> list[int]:
    """Print what is still stored somewhere, or may be; return the exit statuses."""
    for sentence in [*_leftover_texts(cleared), *_untouched_texts(cleared)]:
        _complain(profile, sentence)
    failures = [*cleared.unpublished, *filter(None, (cleared.undeleted, cleared.unseen))]
    return [*(error.exit_status for error in failures), *([UNEXPECTED] if cleared.of_other_keys else [])]


def _complain(profile: str, sentence: str) -> None:
    print(f"{printable(profile)}: {sentence}", file=sys.stderr)


def _cleared_text(cleared: Cleared) -> str:
    """Return a sentence for what a clear did."""
    if cleared.undeleted is not None:
        return tr("The token was revoked at Kiwoom.") if cleared.revoked else tr("Kiwoom no longer accepted the token.")
    if cleared.revoked:
        return tr("The token was revoked at Kiwoom and removed from this computer.")
    if cleared.already_dead:
        return tr("Kiwoom no longer accepted the token; it was removed from this computer.")
    if cleared.had_expired:
        return tr("The token had expired. It was removed from this computer.")
    if cleared.was_doubtful:
        return tr("The token was removed from this computer. At Kiwoom it may still be valid.")
    if cleared.was_there:
        return tr("The token was removed from this computer. At Kiwoom it stays valid until it expires.")
    return next(iter(_untouched_texts(cleared)), tr("There was no token."))


def _untouched_texts(cleared: Cleared) -> list[str]:
    """Return a sentence for a token that a clear has left, and one for a token that it could not see."""
    texts = []
    if cleared.of_other_keys:
        texts.append(tr("There was no token of this account. The stored one was issued with other keys and stays."))
    if cleared.unseen is not None:
        reason = say(cleared.unseen)
        texts.append(
            tr("Any token stored here counts as removed, because it could not be read: {reason}", reason=reason)
        )
    return texts


def _leftover_texts(cleared: Cleared) -> list[str]:
    """Return a sentence for each place where the token is still stored after a clear."""
    texts = [
        tr("The token could not be taken back from another tool: {reason}", reason=say(error))
        for error in cleared.unpublished
    ]
    return texts if cleared.undeleted is None else [*texts, say(cleared.undeleted)]
