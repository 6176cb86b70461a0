"""Epochs of job processes: their keys, what is kept for a dispute, and what is reported."""

from __future__ import annotations

from tests.mutation.row import Mutation

_EPOCHS, _T_EPOCHS = "mpcd/runtime/epochs.py", "tests/runtime/test_epochs.py"
_KEPT, _T_KEPT = "mpcd/runtime/kept.py", "tests/runtime/test_kept.py"
_LINKS, _T_LINKS = "mpcd/transport/links.py", "tests/transport/test_links.py"
_LAYOUT, _T_FRAMES = "mpcd/runtime/layout.py", "tests/runtime/test_frames.py"
_SECRET = f"{_T_EPOCHS}::test_nothing_secret_of_one_epoch_is_used_in_another"
_CONTRADICTS = f"{_T_EPOCHS}::test_an_order_that_contradicts_itself_is_our_bug"

KEYS = [
    Mutation("tags of all epochs under one key", _EPOCHS,
             'derive(secret, b"tag", *self._stamp)', 'derive(secret, b"tag", self._stamp[0])', _SECRET),
    Mutation("salts of all epochs from one key", _EPOCHS,
             'derive(key, b"output", *self._stamp, length=32)',
             'derive(key, b"output", self._stamp[0], length=32)', _SECRET),
    Mutation("keys of rep3 without their epoch", _EPOCHS,
             'derive(secret, b"rep3 key", *self._stamp, bytes([piece]), length=32)',
             'derive(secret, b"rep3 key", self._stamp[0], bytes([piece]), length=32)', _SECRET),
    Mutation("streams of rep4 without history", "mpcd/protocols/rep4/engine.py",
             'derive(key, b"stream", session, stamp, history)',
             'derive(key, b"stream", session, stamp)', _SECRET),
    Mutation("disputes of all epochs under one key", _KEPT,
             'derive(keys[outsider], b"dispute", session, stamp, history, length=32)',
             'derive(keys[outsider], b"dispute", session, length=32)', _SECRET),
    Mutation("disputes open to the fourth party", _KEPT,
             'derive(keys[outsider], b"dispute", session, stamp, history, length=32)',
             'derive(session, b"dispute", session, stamp, history, length=32)',
             f"{_T_EPOCHS}::test_the_dispute_about_a_message_is_closed_to_the_fourth_party"),
    Mutation("the dropped party knows the keys", _EPOCHS,
             "secret = self._order.keys[conversion.summands[piece]] + self._order.tag_secrets[other]",
             "secret = self._order.keys[conversion.summands[piece]]",
             f"{_T_EPOCHS}::test_whoever_is_dropped_does_not_know_the_keys_of_the_three"),
]  # fmt: skip

ORDERS = [
    Mutation("a scheme for another number of parties", _EPOCHS,
             "scheme is None or scheme.parties != members or order.me >= members", "scheme is None",
             f"{_T_EPOCHS}::test_a_scheme_has_its_number_of_parties"),
    Mutation("an epoch without history", _EPOCHS,
             "len(order.history) != HISTORY_BYTES or len(order.roster) != members", "False", _CONTRADICTS),
    Mutation("another party is dropped than the roster says", _EPOCHS,
             "self.scheme is not REP3 or conversion.dropped != order.dropped", "False", _CONTRADICTS),
    Mutation("rep4 without checks", _EPOCHS, "if order.unchecked and scheme is REP4:", "if False:",
             f"{_T_EPOCHS}::test_four_parties_are_never_without_checks"),
    Mutation("the summand of the dropped party is lost", _EPOCHS,
             "if piece == conversion.takes:", "if False:", f"{_T_EPOCHS}::test_conversion_keeps_the_value"),
]  # fmt: skip

DISPUTES = [
    Mutation("only one round is kept", _KEPT, "_ROUNDS = 2", "_ROUNDS = 1",
             f"{_T_KEPT}::test_sender_and_backup_keep_the_same_of_the_last_two_rounds"),
    Mutation("digests without their place", _KEPT, "hmac.new(key, _PLACE.pack(*place), hashlib.sha256)",
             'hmac.new(key, b"", hashlib.sha256)',
             f"{_T_KEPT}::test_every_digest_depends_on_its_place_and_its_bytes"),
    Mutation("a complaint about something else than came", "mpcd/runtime/frames.py",
             "received=parts,", "received=(),",
             f"{_T_KEPT}::test_a_wrong_message_sets_sender_and_backup_against_each_other"),
    Mutation("frames of an incomplete round are forgotten", "mpcd/runtime/driver.py",
             "record.arrived(fault.arrived)", "pass",
             f"{_T_KEPT}::test_a_garbled_frame_is_missing_at_its_receiver_alone"),
    Mutation("a label that does not name the backup", _LAYOUT, "if backup_of(label) != backup:", "if False:",
             f"{_T_FRAMES}::test_a_round_that_contradicts_itself_is_our_bug"),
    Mutation("nobody is late", _KEPT, "if eighths >= LATE_FROM:", "if False:",
             f"{_T_KEPT}::test_late_peers_are_noted_from_a_quarter_of_the_patience_on"),
    Mutation("everybody is late", _KEPT, "if eighths >= LATE_FROM:", "if True:",
             f"{_T_KEPT}::test_late_peers_are_noted_from_a_quarter_of_the_patience_on"),
]  # fmt: skip

LINKS = [
    Mutation("a round ends at its first fault", _LINKS,
             "            while turn.sending or turn.receiving:\n",
             "            while (turn.sending or turn.receiving) and not turn.missed:\n",
             f"{_T_LINKS}::test_whoever_misses_one_peer_still_hears_and_serves_the_others"),
    Mutation("a byte now and then is enough", _LINKS, "left = deadline - now", "left = 0.3",
             f"{_T_LINKS}::test_a_byte_now_and_then_does_not_hold_up_a_round"),
    Mutation("many bytes as fast as few", _LINKS, "_EXTRA_S + _size(outgoing, lengths) / SLOWEST_BYTES_S",
             "_EXTRA_S", f"{_T_LINKS}::test_many_bytes_may_take_their_time"),
]  # fmt: skip

_PROCESSES, _T_REPORTS = "mpcd/party/processes.py", "tests/party/test_epoch_reports.py"
INDICES = [
    Mutation("who is missed by place", _PROCESSES,
             "missing=frozenset(roster[place] for place in report.missing)",
             "missing=frozenset(report.missing)",
             f"{_T_REPORTS}::test_whom_a_process_misses"),
    Mutation("a complaint by place", _PROCESSES,
             "Complaint(roster[said.sender], roster[said.backup], said.digest)",
             "Complaint(said.sender, said.backup, said.digest)",
             f"{_T_REPORTS}::test_what_a_process_complains_about"),
    Mutation("whoever is halted while it waits says nothing", "mpcd/runtime/failures.py",
             "pb.Report(round=record.begun, missing=sorted(record.pending))", "pb.Report(round=record.begun)",
             f"{_T_EPOCHS}::test_a_process_that_is_halted_while_it_waits_says_for_whom"),
]  # fmt: skip

ROWS = [*INDICES, *KEYS, *ORDERS, *DISPUTES, *LINKS]
