"""The checks by which no job begins for which there is no memory."""

from __future__ import annotations

from tests.mutation.row import Mutation

_PROPOSALS, _T = "mpcd/party/proposals.py", "tests/party/test_job_memory.py"

ROWS = [
    Mutation("memory for an epoch of three parties", _PROPOSALS,
             "        models.append(costs_of(REP3.parties))\n", "        pass\n",
             f"{_T}::test_where_the_output_is_guaranteed_an_epoch_of_three_must_have_room"),
    Mutation("a job without memory for its process", _PROPOSALS,
             " or too_large(proposal, config)", "",
             f"{_T}::test_a_job_for_which_no_process_has_the_memory_is_refused"),
    Mutation("memory of operations that share rounds", "mpcd/program/cost.py",
             "            tally.work(portion)\n", "",
             "tests/program/test_cost.py::test_memory_counts_what_is_alive_at_once"),
]  # fmt: skip
