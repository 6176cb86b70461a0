"""What a barrier decides: a pure function of the vector of words, the same at every honest party.

If one party cheats, then every contradiction between two parties, and every frame that one of them misses of
the other, has the cheater as one of the two. So contradictions name whom they have in common (`meet`).
Only the lowest round that anybody speaks of counts: what is missing later is missing because of that.

Notation  parties are the job's computing parties 0..n-1; roster: those in this epoch, ascending
Source    Spec agreement 9.4 to 9.6
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from mpcd.protocols.agreement.dolev_strong import Agreed, Outcome
from mpcd.protocols.agreement.findings import (
    Absent,
    Dispute,
    Fault,
    Finding,
    Go,
    Named,
    Pair,
    TooMany,
    liars_in,
    listed,
    meet,
)
from mpcd.protocols.agreement.outcomes import bodies
from mpcd.protocols.agreement.words import FULL, Ready, Stopped, Word, read_word
from mpcd.protocols.scheme import Scheme

Table = Mapping[tuple[int, int], bytes]
"""(output, piece) -> what one party says the commitment is."""


def judge(outcome: Outcome, scheme: Scheme, roster: Sequence[int], outputs: int) -> Finding:
    """What the words of a barrier come to.

    outcome  the verdict on every party of the roster
    outputs  how many outputs there are to open, counted by recipient
    """
    said = bodies(outcome)
    words = {p: read_word(body, p, roster, scheme, outputs) for p, body in said.items()}
    spoken = {p: word for p, word in words.items() if word is not None}
    fault = attendance(outcome, "a word at a barrier", lambda p, _: p in spoken)
    if fault is not None:
        return fault
    stopped = {p: word for p, word in spoken.items() if isinstance(word, Stopped)}
    if stopped:
        return _stopped(stopped, spoken)
    return _ready({p: w for p, w in spoken.items() if isinstance(w, Ready)}, scheme, roster, outputs)


def attendance(
    outcome: Outcome, what: str, well_formed: Callable[[int, bytes], bool] = lambda _party, _body: True
) -> Fault | None:
    """Whether everybody gave one value in a slot: for slots that a job can pass without one of its parties.

    what  what the values are, for `why`: "a nonce"
    """
    liars = liars_in(outcome, what)
    if liars is not None:
        return liars
    silent = {p for p, v in outcome.items() if not isinstance(v, Agreed) or not well_formed(p, v.body)}
    if not silent:
        return None
    why = f"{listed(silent)} did not give {what}"
    return TooMany(frozenset(silent), why) if len(silent) > 1 else Absent(min(silent), why)


# -- somebody stopped ------------------------------------------------------------------------------


def _stopped(stopped: Mapping[int, Stopped], words: Mapping[int, Word]) -> Finding:
    accusers = {p: word for p, word in stopped.items() if word.accuses}
    if not accusers:
        why = f"{listed(stopped)} did not get to the end, and not for want of a frame"
        if len(stopped) > 1:
            return TooMany(frozenset(stopped), why)
        return Absent(min(stopped), why)
    lowest = min(word.round for word in accusers.values())
    first = {p: word for p, word in accusers.items() if word.round == lowest}
    edges = [_behind(p, q, lowest, words) for p, word in first.items() for q in word.missing]
    failed = {p: word for p, word in first.items() if word.complaint is not None or word.batch is not None}
    if edges:
        missed = meet(edges, False, f"missed frames of each other, from round {lowest} on")
        if not failed or not isinstance(missed, Pair):
            return missed
    return _dispute(failed)


def _dispute(failed: Mapping[int, Stopped]) -> Dispute:
    """The complaint to settle: one about a tag before one about a batch, the lowest receiver's first."""
    receiver = min(failed, key=lambda p: (failed[p].complaint is None, p))
    word = failed[receiver]
    if word.complaint is not None:
        sender, backup = word.complaint.sender, word.complaint.backup
        why = f"party {receiver} says that the tag of party {backup} does not fit what party {sender} sent"
        return Dispute(word.round, receiver, why, complaint=word.complaint)
    others = {p for p, w in failed.items() if w.batch == word.batch and p != receiver}
    why = f"party {receiver} says that the check of batch {word.batch} failed"
    return Dispute(word.round, receiver, why, batch=word.batch, others=frozenset(others))


def _behind(lister: int, listed_one: int, number: int, words: Mapping[int, Word]) -> frozenset[int]:
    """The two of whom one is behind a frame that did not come.

    These are who misses it and who should have sent it, unless that one had itself been kept waiting about as
    long, in the round before, for a third party: then it could not be in time, and the two are that one
    and the third; and so on, round by round. If both of a pair are honest, the one that is late was kept
    waiting by the cheater alone, since the frames of honest parties reach all alike.
    """
    eighths = FULL
    while True:
        marks = [m for m in words[listed_one].late if m.round == number - 1 and m.eighths >= eighths - 1]
        if not marks:
            return frozenset({lister, listed_one})
        lister, listed_one = listed_one, marks[0].peer
        number, eighths = number - 1, marks[0].eighths


# -- all are ready ---------------------------------------------------------------------------------


def _ready(words: Mapping[int, Ready], scheme: Scheme, roster: Sequence[int], outputs: int) -> Finding:
    table = {p: _commitments(word, scheme.held(list(roster).index(p))) for p, word in words.items()}
    pairs = [(p, q) for p, q in combinations(words, 2) if _contradict(words[p], words[q], table[p], table[q])]
    if not pairs:
        return _go(words, table, outputs, scheme)
    fault = meet(pairs, True, "are ready for different things")
    if not isinstance(fault, Named):
        return fault
    others = {p: word for p, word in words.items() if p != fault.party}
    agreed = next(iter(others.values()))
    if agreed.kind == "open" and _twice(fault.party, table, outputs, scheme):
        return _go(others, table, outputs, scheme, fault)
    return fault


def _commitments(word: Ready, held: Sequence[int]) -> Table:
    return {(k, a): com for k, row in enumerate(word.commitments) for a, com in zip(held, row, strict=True)}


def _contradict(one: Ready, other: Ready, coms: Table, others: Table) -> bool:
    if (one.kind, one.reveals) != (other.kind, other.reveals):
        return True
    return any(coms[place] != others[place] for place in coms.keys() & others.keys())


def _twice(odd: int, table: Mapping[int, Table], outputs: int, scheme: Scheme) -> bool:
    """Whether two parties, an honest one among them, say the same of every commitment in spite of `odd`."""
    for place in ((k, a) for k in range(outputs) for a in range(scheme.parties)):
        said = [coms[place] for p, coms in table.items() if p != odd and place in coms]
        if len(said) + (table[odd].get(place) == said[0]) < 2:
            return False
    return True


def _go(
    words: Mapping[int, Ready],
    table: Mapping[int, Table],
    outputs: int,
    scheme: Scheme,
    odd: Named | None = None,
) -> Go:
    """`words` agree with each other."""
    word = next(iter(words.values()))
    known = {place: com for p in words for place, com in table[p].items()}
    rows = range(outputs) if word.kind == "open" else ()
    coms = tuple(tuple(known[k, a] for a in range(scheme.parties)) for k in rows)
    return Go(word.kind, coms, word.reveals, odd)
