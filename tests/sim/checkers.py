"""What a simulated world must never do (safety) and must come to (liveness).

Both are computed from the true chain and the stored records alone, by other means than the
listener's: nothing here calls the domain's rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.domain.exceptions import ExceptionKind, ExceptionRecord
from chalicelib.domain.orders import HistoryEntry, HistoryRecord, Order
from chalicelib.domain.progress import Cursor
from chalicelib.domain.redemptions import BlockRef, Burn, Redemption
from chalicelib.ports import Change, Check, Delete, Insert, Record, Store
from tests.sim.chain import DEPLOY_BLOCK, Block, SimChain


class Broken(BaseException):
    """A promise is broken. Not an `Exception`, so that nothing under test can swallow it."""


def fits(burn: Burn, order: Order) -> bool:
    """Whether the burn is the one that `order` asks for, made in time."""
    asked = (order.order_hash, order.customer, order.token_id, order.amount)
    burned = (burn.order_hash, burn.user, burn.token_id, burn.amount)
    return asked == burned and burn.block.time <= order.expires_at


@dataclass(frozen=True, slots=True)
class Safety:
    """Checked at every single commit, of whomever."""

    chain: SimChain
    store: Store

    def check(self, before: Sequence[Record | None], changes: Sequence[Change]) -> None:
        """Raise `Broken` where a commit must not have been."""
        displaced = {
            (change.record.order_hash, change.record.entry.seq): change.record.entry
            for change in changes
            if isinstance(change.record, HistoryRecord)
        }
        halted = any(isinstance(old, Cursor) and old.halts for old in before)
        for old, change in zip(before, changes, strict=True):
            new = change.record
            if isinstance(change, Check):
                continue
            if isinstance(new, Order | Redemption | Cursor | HistoryRecord):
                _require(not isinstance(change, Delete), f"{type(new).__name__} deleted")
            if isinstance(new, HistoryRecord):
                _require(isinstance(change, Insert), "displaced history edited")
            if isinstance(new, Order):
                self._order(old if isinstance(old, Order) else None, new, displaced, halted=halted)
            if isinstance(new, Redemption):
                self._entry(old if isinstance(old, Redemption) else None, new)
            if isinstance(new, Cursor):
                self._cursor(old if isinstance(old, Cursor) else None, new)

    # -- orders

    def _order(
        self,
        old: Order | None,
        new: Order,
        displaced: dict[tuple[str, int], HistoryEntry],
        *,
        halted: bool,
    ) -> None:
        if old is None:
            return
        moves = _new_moves(old, new, displaced)
        if halted:
            goes_on = [one for one in moves if one.target in ("VALID", "EXPIRED")]
            _require(not goes_on, f"{new.order_hash[:10]} went on while an incident was open")
        if new.status == "VALID" or any(one.target == "DELIVERED" for one in moves):
            self._burned(new)
        delivered_before = old.status == "DELIVERED"
        _require(not (delivered_before and moves), f"{new.order_hash} moved after delivery")
        _require(not delivered_before or old.delivery == new.delivery, "a delivery was changed")
        for expiry in moves:
            if expiry.target == "EXPIRED":
                self._expired(new, expiry)

    def _burned(self, order: Order) -> None:
        """A VALID order has a matching burn that is, or was, final on the true chain. What was
        delivered may lose it to a fork below finality: then there is an incident."""
        if _honoured(order):
            return
        burn = order.burn
        name = f"order {order.order_hash[:10]} is {order.status}"
        _require(burn is not None, f"{name} without a burn")
        assert burn is not None
        _require(burn in self.chain.burns_for.get(order.order_hash, ()), f"{name} by no true burn")
        _require(fits(burn, order), f"{name} by a burn that does not fit")
        _require(burn.block.hash in self.chain.was_final, f"{name} by a burn that is not final")

    def _expired(self, order: Order, move: HistoryEntry) -> None:
        """An order expires by a final block past its last second, with no burn in time below it."""
        name = f"order {order.order_hash[:10]} expired"
        blocks = self.chain.final_at.get(move.block or 0, [])
        _require(bool(blocks), f"{name} by block {move.block}, which is not final")
        past = [block for block in blocks if block.ref.time > order.expires_at]
        _require(bool(past), f"{name} by block {move.block}, which is not past it")
        in_time = [b for b in self.chain.burns_for.get(order.order_hash, ()) if fits(b, order)]
        for burn in in_time:
            hidden = any(not _is_below(burn.block, block) for block in past)
            _require(hidden, f"{name} though block {burn.block.number} holds its burn")

    # -- ledger and cursor

    def _entry(self, old: Redemption | None, new: Redemption) -> None:
        name = f"redemption {new.serial}"
        if new.final:
            told = new.burn in self.chain.burns_for.get(new.burn.order_hash, ())
            _require(told, f"{name} is final and on no chain")
            _require(new.burn.block.hash in self.chain.was_final, f"{name} is not final, truly")
            _require(new.on_chain, f"{name} is final and orphaned")
        if old is None:
            return
        lost = {*old.orphans, old.burn} - {*new.orphans, new.burn}
        _require(not lost, f"{name} forgot an orphan")
        unchanged = (old.burn, old.final) == (new.burn, new.final)
        may_change = not old.final or unchanged or bool(self.chain.deep_forks)
        _require(may_change, f"{name} was final and changed")

    def _cursor(self, old: Cursor | None, new: Cursor) -> None:
        _require(new.proven.hash in self.chain.was_final, f"block {new.proven.number} is not final")
        if old is None:
            _require(new.proven.number <= DEPLOY_BLOCK, "the first cursor skips blocks")
            return
        goes_back = new.proven.number < old.proven.number or new.last_serial < old.last_serial
        _require(not goes_back or bool(self.chain.deep_forks), "the cursor went back")
        _require(new.seen_serial >= old.seen_serial, "the cursor forgot serials")
        if new.proven.number > old.proven.number:
            self._covered(old.proven, new)

    def _covered(self, old: BlockRef, cursor: Cursor) -> None:
        """Every burn between the last proven block and the new one is in the ledger, final."""
        burns: list[Burn] = []
        at = self.chain.by_hash[cursor.proven.hash]
        while at.ref.number > old.number:
            burns += at.burns
            assert at.parent is not None
            at = at.parent
        _require(at.ref == old, f"proven from {old.number} to another branch")
        for burn in burns:
            entry = next(iter(self.store.redemptions(burn.serial, burn.serial)), None)
            found = entry is not None and entry.final and entry.burn == burn
            _require(found, f"proven to {cursor.proven.number} without redemption {burn.serial}")
            _require(cursor.last_serial >= burn.serial, f"last serial below {burn.serial}")


def differences(chain: SimChain, store: Store, orders: Iterable[str]) -> list[str]:
    """Where ledger and orders differ from what the chain makes of them, to its head.

    Empty in a world that is at rest: the oracle of liveness.
    """
    cursor = store.cursor()
    if cursor is None:
        return ["no cursor"]
    proven, head = cursor.proven, chain.head.ref
    found: list[str] = []
    if not chain.holds(proven):
        return [f"proven block {proven.number} is not on the chain"]
    if proven.number < min(chain.final, head.number - chain.rule.fallback_blocks):
        found.append(f"proven {proven.number} of {chain.final}, head {head.number}")
    if cursor.heartbeat is None or cursor.heartbeat.error or cursor.heartbeat.head != head:
        found.append(f"the last heartbeat is {cursor.heartbeat}")
    truth = chain.all_burns()
    ledger = {
        entry.serial: entry
        for first in range(1, cursor.seen_serial + 1, 100)
        for entry in store.redemptions(first, min(first + 99, cursor.seen_serial))
    }
    for burn in truth:
        found += _entry_differences(burn, ledger.get(burn.serial), proven, store, chain)
    found += [
        f"redemption {serial} is not on the chain"
        for serial, entry in ledger.items()
        if serial > len(truth) and entry.on_chain
    ]
    found += _exception_differences(store, ledger, chain)
    for order_id in orders:
        order = store.order(order_id)
        found += (
            ["an order is gone"]
            if order is None
            else _order_differences(order, store, chain, proven)
        )
    return found


def _entry_differences(
    burn: Burn, entry: Redemption | None, proven: BlockRef, store: Store, chain: SimChain
) -> list[str]:
    final = burn.block.number <= proven.number
    if entry is None:
        return [f"redemption {burn.serial} is missing"]
    if entry.burn != burn or not entry.on_chain or entry.final != final:
        return [f"redemption {burn.serial} is {entry}, the chain has {burn} (final: {final})"]
    order = store.order_by_hash(burn.order_hash)
    outcomes = _outcomes(burn, order, deep=bool(chain.deep_forks))
    if entry.outcome not in outcomes:
        return [f"redemption {burn.serial} is {entry.outcome}, not {outcomes}"]
    return []


def _exception_differences(
    store: Store, ledger: dict[int, Redemption], chain: SimChain
) -> list[str]:
    """Every misfit in the ledger has a record, every open record its misfit or incident."""
    found: list[str] = []
    misfits = {
        f"{entry.serial}-{entry.burn.tx_hash[2:10]}": entry
        for entry in ledger.values()
        if entry.final and entry.outcome != "MATCHED"
    }
    for name, entry in misfits.items():
        record = store.exception(name)
        done = record.resolution if record else None
        stays = done is not None and done.kind != "WITHDRAWN"  # wherever a fork moved the burn
        kind = ExceptionKind(entry.outcome.value)
        told = record is not None and (record.burn, record.kind) == (entry.burn, kind)
        if not stays and not told:
            found.append(f"exception {name} is {record}, the ledger has {entry}")
    for record in _exceptions(store, open_only=True):
        if record.kind == "DELIVERED_REORGED":
            order = store.order_by_hash(record.order_hash)
            back = order is not None and _burn_on_chain(order, chain) is not None
            found += [f"incident {record.exception_id} is open, its burn is back"] if back else []
        elif record.exception_id not in misfits:
            found.append(f"exception {record.exception_id} is open, and nothing is wrong")
    return found


def _exceptions(store: Store, *, open_only: bool) -> Iterable[ExceptionRecord]:
    place: str | None = None
    while True:
        page = store.exceptions(open_only=open_only, limit=100, cursor=place)
        yield from page.items
        place = page.next_cursor
        if place is None:
            return


def _burn_on_chain(order: Order, chain: SimChain) -> Burn | None:
    """The burn on the chain that the order asks for."""
    burns = chain.burns_for.get(order.order_hash, ())
    return next((b for b in burns if chain.holds(b.block) and fits(b, order)), None)


def _outcomes(burn: Burn, order: Order | None, *, deep: bool) -> tuple[str, ...]:
    """What the burn may have come to. What was closed for good before a fork below finality brought
    the burn stays closed; a burn for which an order was honoured or delivered stays its own."""
    if order is None:
        return ("UNKNOWN_ORDER",)
    own = ("MATCHED",) if deep and _is_burn_of(order, burn) else ()
    if burn.user != order.customer:
        return ("WRONG_WALLET", *own)
    if burn.token_id != order.token_id:
        return ("WRONG_TOKEN", *own)
    if burn.amount != order.amount:
        return ("WRONG_AMOUNT", *own)
    if burn.block.time > order.expires_at:
        return ("LATE", *own)
    if deep and any(move.target == "EXPIRED" for move in order.history):
        return ("ORDER_CLOSED", *own)
    if deep and order.status == "DELIVERED" and not own:
        return ("DUPLICATE", "MATCHED")
    return ("MATCHED",)


def _is_burn_of(order: Order, burn: Burn) -> bool:
    return order.burn is not None and order.burn.tx_hash == burn.tx_hash


def _order_differences(order: Order, store: Store, chain: SimChain, proven: BlockRef) -> list[str]:
    on_chain = [b for b in chain.burns_for.get(order.order_hash, ()) if chain.holds(b.block)]
    own = [burn for burn in on_chain if burn.user == order.customer]
    burn = _burn_on_chain(order, chain)
    name = f"order {order.order_hash[:10]}"
    if order.status == "DELIVERED":
        stands = any(_is_burn_of(order, one) for one in own)  # mined again, be it late
        if burn is not None or stands or _honoured(order) or _has_incident(order, store):
            return []
        return [f"{name} was delivered, its burn is gone, and there is no incident"]
    if order.status == "VALID" and _honoured(order):
        return [] if own else [f"{name} was honoured, and its burn is gone"]
    allowed = _allowed_statuses(order, burn, chain, proven)
    if order.status not in allowed:
        return [f"{name} is {order.status}, not {sorted(allowed)} (burn: {burn})"]
    if order.status in ("VALID", "PENDING_CHAIN") and order.burn != burn:
        return [f"{name} has burn {order.burn}, not {burn}"]
    final = [burn for burn in own if burn.block.number <= proven.number]
    misfit = next(iter(final), None) if burn is None else None
    if misfit is not None and order.exception is None:
        return [f"{name} does not show that its burn does not fit"]
    if not own and order.exception is not None:
        return [f"{name} shows {order.exception}, and its customer burned nothing"]
    return []


def _is_below(block: BlockRef, top: Block) -> bool:
    """Whether `block` is an ancestor of `top`, or `top` itself."""
    at: Block | None = top
    while at is not None and at.ref.number > block.number:
        at = at.parent
    return at is not None and at.ref == block


def _has_incident(order: Order, store: Store) -> bool:
    """Whether people were told that the order was delivered for a burn that is gone."""
    return any(
        record.order_hash == order.order_hash and record.kind == "DELIVERED_REORGED"
        for record in _exceptions(store, open_only=False)
    )


def _allowed_statuses(
    order: Order, burn: Burn | None, chain: SimChain, proven: BlockRef
) -> set[str]:
    """What the order may be, given its burn on the chain. What people closed stays closed, and so
    does what expired before a fork below finality brought the burn."""
    was = {move.target for move in order.history}
    closed = {"EXPIRED"} & was if chain.deep_forks else set()
    if burn is not None:
        return {"VALID" if burn.block.number <= proven.number else "PENDING_CHAIN", *closed}
    past = "EXPIRED" if proven.time > order.expires_at else "CREATED"
    return {past, *closed, *({"CANCELLED"} & was)}


def _new_moves(
    old: Order, new: Order, displaced: dict[tuple[str, int], HistoryEntry]
) -> Sequence[HistoryEntry]:
    """The moves that `new` adds. History only grows: what left the order is kept beside it."""
    name = f"history of {new.order_hash[:10]}"
    inline = {entry.seq: entry for entry in new.history}
    for entry in old.history:
        kept = inline.get(entry.seq) or displaced.get((new.order_hash, entry.seq))
        _require(kept == entry, f"{name} lost or changed entry {entry.seq}")
    last = old.history[-1]
    added = [
        inline.get(seq) or displaced[new.order_hash, seq]
        for seq in range(last.seq + 1, new.history[-1].seq + 1)
    ]
    for move in added:
        _require(move.source == last.target, f"{name} has a gap at {move.seq}")
        last = move
    _require(new.status == last.target, f"{name} does not end in {new.status}")
    return added


def _honoured(order: Order) -> bool:
    """Whether an administrator made the order VALID, for a burn that does not fit by itself."""
    valid = [move for move in order.history if move.target == "VALID"]
    return bool(valid) and valid[-1].actor.kind == "ADMIN"


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise Broken(otherwise)
