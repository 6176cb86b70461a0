"""The checks of jobs with defaults: what the submitter may write, what stands in for what, what is told of it."""

from __future__ import annotations

from tests.mutation.row import Mutation

_ROWS, _FILE, _SPEC = "mpcd/jobs/defaults.py", "mpcd/jobs/document.py", "mpcd/jobs/specification.py"
_GATHER, _ARGUMENTS = "mpcd/party/gathering.py", "mpcd/runtime/arguments.py"
_T_JOBS, _T_PARTY, _T_RUN = (
    "tests/jobs/test_defaults.py",
    "tests/party/test_defaults.py",
    "tests/runtime/test_defaults.py",
)
_T_WHOLE = (
    f"{_T_RUN}::test_a_row_of_which_one_column_fails_is_replaced_as_a_whole_and_rows_keep_their_numbers"
)
_T_ORDER = f"{_T_RUN}::test_an_order_that_contradicts_itself_is_refused"
_T_ANY = f"{_T_PARTY}::test_whatever_an_owner_does_its_default_counts_for_all_and_all_say_why"

ROWS = [
    # -- before anybody consents
    Mutation("inputs without a default row", _FILE, 'if terms.missing == "default" and entry.default is None:', "if False:",
             f"{_T_JOBS}::test_mistakes_are_found_where_they_are"),
    Mutation("default rows that are never used", _FILE, 'if terms.missing != "default" and entry.default is not None:', "if False:",
             f"{_T_JOBS}::test_mistakes_are_found_where_they_are"),
    Mutation("default rows of any range", _ROWS, "if not t.low <= number <= t.high:", "if False:",
             "tests/party/test_consents.py::test_a_job_that_is_not_in_order_gets_no_consent"),
    Mutation("default rows lack columns", _ROWS, "        if column not in default:\n", "        if False:\n",
             f"{_T_JOBS}::test_a_row_that_does_not_fit_is_refused"),
    Mutation("one number is the default of all columns", _ROWS, "if len(columns) > 1:", "if False:",
             f"{_T_JOBS}::test_a_row_that_does_not_fit_is_refused"),
    Mutation("parties consent to defaults unseen", _SPEC, "        check_default(entry, checked)\n", "        pass\n",
             "tests/party/test_consents.py::test_a_job_that_is_not_in_order_gets_no_consent"),
    Mutation("defaults that do not fit are submitted", "mpcd/party/submissions.py", "        _check_defaults(document, text, source, program)\n", "        pass\n",
             "tests/party/test_plans.py::test_a_default_that_does_not_fit_is_shown_in_the_job_file"),
    # -- inputs that are left out
    Mutation("jobs with defaults end without an input", _GATHER, 'if not left_out or case.terms.specification.missing == "default":', "if not left_out:", _T_ANY),
    Mutation("inputs that are left out have no rows", _GATHER, "if key in notes or defaults", "if key in notes", _T_ANY),
    Mutation("excluded inputs are filled without defaults", _GATHER, "if key in notes or defaults", "if True",
             "tests/party/test_life.py::test_an_owner_that_gives_nothing_is_treated_as_the_job_says"),
    Mutation("shares count of an input that is left out", _ARGUMENTS, "if given.left_out else epoch.share(given)", "if not given.payloads else epoch.share(given)",
             f"{_T_RUN}::test_payloads_of_an_input_that_is_left_out_are_not_looked_at"),
    Mutation("default rows that do not fit are computed on", _ARGUMENTS, "if len(row) != (len(given.columns) if missing == DEFAULT else 0) or", "if", _T_ORDER),
    Mutation("nothing stands in for an input", _ARGUMENTS, " or (given.left_out and not row):", ":", _T_ORDER),
    # -- rows out of range
    Mutation("rows out of range stay in the sum", _ARGUMENTS, "engine.scale(x, flags.astype(np.int64))", "x", _T_WHOLE),
    Mutation("rows out of range are zero", _ARGUMENTS, ", engine.constant(public))", ", engine.constant(np.zeros_like(public)))", _T_WHOLE),
    Mutation("all owners have the first one's default", _ARGUMENTS, "np.int64)[origins.owner])", "np.int64)[0 * origins.owner])", _T_WHOLE),
    # -- what is told
    Mutation("receipts do not say that defaults were used", "mpcd/party/receipts.py", "reason=why, default=defaults)", "reason=why)", _T_ANY),
    Mutation("receipts lack the rows of defaults", "mpcd/party/receipts.py", "        elif defaults:\n", "        elif False:\n", _T_ANY),
    Mutation("receipts with commitments and default", "mpcd/jobs/receipt.py", "if self.default and self.commitments:", "if False:",
             "tests/jobs/test_receipt.py::test_impossible_receipts"),
    Mutation("rows with a default in their place are not counted", "mpcd/jobs/rows.py", "if line.default or ", "if ",
             "tests/jobs/test_rows.py::test_rows_with_a_default_in_their_place_are_where_they_were"),
]  # fmt: skip
