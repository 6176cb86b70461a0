"""How a job went so far, over its epochs: the same at every honest party that is still in."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from mpcd.jobs.receipt import EpochLine, FaultLine
from mpcd.party.blame import end_of, in_words, line_of
from mpcd.party.case import Case, DroppedError, Said
from mpcd.party.recording import record
from mpcd.protocols.agreement.findings import Fault
from mpcd.protocols.agreement.standing import Over, Standing, advance

_log = structlog.get_logger("mpcd.party")


@dataclass(slots=True)
class Course:
    """standing: of the present epoch; epochs: who computed in which one, the present one included once it has
    begun; faults: why the earlier ones ended, in the words of the receipt."""

    standing: Standing
    epochs: list[EpochLine] = field(default_factory=list)
    faults: list[FaultLine] = field(default_factory=list)

    async def begin(self, case: Case) -> None:
        """Persist how the present epoch stands, before anything of it is done."""
        standing = self.standing
        names = tuple(case.computing[p] for p in standing.roster)
        line = EpochLine.model_validate(
            {"protocol": standing.scheme, "computing": names, "checked": standing.checked}
        )
        if standing.epoch:
            await case.tools.store.epochs.add(case.job, standing.epoch, line.model_dump_json().encode())
        self.epochs.append(line)

    async def drop(self, case: Case, finding: Fault, step: str, said: tuple[Said, ...] = ()) -> None:
        """Go on without whoever is at fault, from the next epoch on.

        Raises  StageEnd if the job cannot or must not go on; DroppedError if it goes on without us
        """
        end = end_of(case, finding, step, self.standing.epoch, said)
        self.faults.append(line_of(case, self.standing, finding, step))
        following = advance(self.standing, finding)
        if not case.guaranteed:
            raise end
        if isinstance(following, Over):
            end.text = in_words(case, following.why)
            raise end
        await record(case, end, case.session)
        _log.warning("a party is dropped", job=case.job.hex(), epoch=following.epoch, why=end.text)
        self.standing = following
        if case.me not in following.roster:
            raise DroppedError
