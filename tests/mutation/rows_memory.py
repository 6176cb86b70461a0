"""The checks by which no job begins for which there is no memory."""

from __future__ import annotations

from tests.mutation.row import Mutation

_T_WORK, _T_COST = "tests/protocols/test_working_memory.py", "tests/program/test_cost.py"
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
    Mutation("memory for a dispute about an operation", "mpcd/program/cost.py",
             "self.live + needed, disputed)", "self.live + needed)",
             f"{_T_COST}::test_memory_is_enough_to_compute_the_largest_batch_again"),
    Mutation("memory for a dispute about a range check", _PROPOSALS,
             " + working, disputed)", " + working)",
             f"{_T}::test_a_dispute_about_a_range_check_must_have_room"),
    Mutation("memory of all messages in a dispute", "mpcd/protocols/rep3/costs.py",
             "made + sent.total_bytes", "made",
             f"{_T_WORK}::test_a_batch_in_dispute_is_computed_in_the_memory_that_is_estimated"),
    Mutation("memory of parties that a dispute is done with", "mpcd/protocols/rep3/replay.py",
             "        p.batches.clear()  #", "        pass  #",
             f"{_T_WORK}::test_a_batch_in_dispute_is_computed_in_the_memory_that_is_estimated"),
    Mutation("a process for a dispute without a limit of memory", "mpcd/runtime/worker.py",
             "    _limit_memory(question.memory_bytes)\n", "",
             "tests/runtime/test_epochs.py"
             "::test_the_memory_of_a_process_that_is_asked_about_a_batch_is_limited"),
    Mutation("a dispute in more memory than a process may have", "mpcd/party/processes.py",
             "limit = min(self._processes.memory_bytes, memory_bytes)", "limit = memory_bytes",
             "tests/party/test_disputes.py"
             "::test_a_process_that_computes_a_batch_again_has_no_more_memory_than_others"),
    Mutation("a dispute in more memory than the job may have", "mpcd/party/processes.py",
             "limit = min(self._processes.memory_bytes, memory_bytes)", "limit = self._processes.memory_bytes",
             "tests/party/test_disputes.py"
             "::test_a_process_that_computes_a_batch_again_has_no_more_memory_than_others"),
]  # fmt: skip
