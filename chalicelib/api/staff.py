"""Staff sign in, stay signed in, change their password, sign out."""

from chalicelib.api.limits import limit_sign_ins
from chalicelib.api.routing import Access, Answer, Call, Nothing, Routes
from chalicelib.api.schemas import Login, PasswordChange, RefreshRequest, StaffSession, StaffView
from chalicelib.domain.staff import SessionKind
from chalicelib.usecases.staff_sessions import (
    SignedIn,
    change_password,
    log_in,
    log_out,
    refresh_session,
)

routes = Routes("staff")


@routes.route(
    "POST",
    "/auth/login",
    takes=Login,
    answers={200: StaffSession},
    refusals={
        401: ("LOGIN_REFUSED",),
        429: ("RATE_LIMITED", "LOCKED_OUT"),
        503: ("UNAVAILABLE",),
    },
)
def login(call: Call, given: Login) -> Answer:
    """A session of at most eight hours. Too many failures lock the account for a while."""
    limit_sign_ins(call, SessionKind.STAFF)
    services = call.services
    signed_in = log_in(
        given.username,
        given.password,
        store=services.store,
        passwords=services.passwords,
        entropy=services.entropy,
        now=call.now,
        request_id=call.request_id,
    )
    call.facts["user"] = signed_in.staff.username
    return Answer(_session(signed_in))


@routes.route(
    "POST",
    "/auth/refresh",
    takes=RefreshRequest,
    answers={200: StaffSession},
    refusals={401: ("UNAUTHENTICATED",), 503: ("UNAVAILABLE",)},
)
def refresh(call: Call, given: RefreshRequest) -> Answer:
    """New tokens; the old ones are spent. Whoever gets no answer, or a 503, sends the same token
    again: within 60 seconds of its first use it is good for other tokens, and those that got lost
    are void. Any other token that is spent or void was copied, and ends the session.
    """
    services = call.services
    signed_in = refresh_session(
        given.refresh_token,
        store=services.store,
        entropy=services.entropy,
        now=call.now,
        request_id=call.request_id,
    )
    call.facts["user"] = signed_in.staff.username
    return Answer(_session(signed_in))


@routes.route(
    "POST",
    "/auth/logout",
    access=Access.STAFF,
    takes=Nothing,
    answers={204: None},
    refusals={503: ("UNAVAILABLE",)},
)
def logout(call: Call, _given: Nothing) -> Answer:
    """End this session."""
    services = call.services
    log_out(
        call.who,
        store=services.store,
        entropy=services.entropy,
        now=call.now,
        request_id=call.request_id,
    )
    return Answer(status=204)


@routes.route(
    "POST",
    "/auth/password",
    access=Access.STAFF,
    takes=PasswordChange,
    answers={204: None},
    refusals={429: ("LOCKED_OUT",), 503: ("UNAVAILABLE",)},
)
def set_password(call: Call, given: PasswordChange) -> Answer:
    """A new password; this session goes on, every other one of this person ends."""
    services = call.services
    change_password(
        call.who,
        given.current_password,
        given.new_password,
        store=services.store,
        passwords=services.passwords,
        entropy=services.entropy,
        now=call.now,
        request_id=call.request_id,
    )
    return Answer(status=204)


def _session(signed_in: SignedIn) -> StaffSession:
    staff = signed_in.staff
    return StaffSession(
        access_token=str(signed_in.access_token),
        expires_in=signed_in.expires_in,
        session_ends_in=signed_in.session_ends_in,
        refresh_token=str(signed_in.refresh_token),
        staff=StaffView(
            username=staff.username,
            display_name=staff.display_name,
            role=staff.role,
            sites=list(staff.sites),
            must_change_password=staff.must_change_password,
        ),
    )
