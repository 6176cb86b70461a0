"""The roster: one hash for one content, and no way to slip somebody else's key in."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from mpcd.errors import ConfigError, NotFoundError
from mpcd.identity.certificates import self_signed_ca, verify_key_of
from mpcd.identity.keys import Identity
from mpcd.identity.roster import MAX_MEMBERS, Member, Roster, address, entry_of, render, split_address

from .conftest import NOW, Org, make_org


def test_a_roster_comes_back_from_its_text(roster: Roster, alice: Org) -> None:
    again = Roster.loads(render(roster.members))
    assert again == roster
    assert again.hash == roster.hash
    assert again.names == ("alice", "bob", "hub")
    assert again.member("alice") == alice.member
    assert again.member("alice").verify_key == verify_key_of(alice.certificate_pem)
    assert [member.name for member in again.parties] == ["alice", "bob"]
    assert again.coordinator is not None
    assert again.coordinator.name == "hub"


def test_the_hash_ignores_layout_and_order(roster: Roster) -> None:
    text = "# a comment\n" + render(roster.members[::-1]).replace("role: party", "role:   'party'")
    assert Roster.loads(text).hash == roster.hash


def test_the_hash_covers_every_field(roster: Roster, alice: Org) -> None:
    others = roster.members[1:]
    namesake = make_org("alice").member
    changed = [
        replace(alice.member, control="127.0.0.1:9"),
        replace(alice.member, links="127.0.0.1:9"),
        replace(alice.member, control=alice.member.links, links=alice.member.control),
        namesake,
    ]
    hashes = {Roster.of([member, *others]).hash for member in changed} | {roster.hash, Roster(others).hash}
    assert len(hashes) == len(changed) + 2


def test_an_unknown_name_gets_the_nearest(roster: Roster) -> None:
    assert roster.find("alise") is None
    with pytest.raises(NotFoundError, match="did you mean 'alice'"):
        roster.member("alise")


def refused(members: list[Member], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Roster.of(members)


def test_a_foreign_or_unsigned_sealing_key_is_refused(alice: Org, bob: Org, mallory: Org) -> None:
    """Somebody who edits the file must not be able to read what is sealed for alice."""
    swapped = replace(alice.member, sealing_key=mallory.member.sealing_key)
    refused([swapped], "sealing key is not signed")
    signed_by_mallory = replace(
        alice.member,
        sealing_key=mallory.member.sealing_key,
        sealing_signature=mallory.member.sealing_signature,
    )
    refused([signed_by_mallory], "sealing key is not signed")
    refused([replace(alice.member, sealing_key=bytes(31))], "sealing key is not signed")
    refused([replace(bob.member, sealing_signature=b"")], "sealing key is not signed|value is missing")


def test_a_certificate_in_another_name_is_refused(alice: Org, bob: Org) -> None:
    refused([replace(alice.member, certificate_pem=bob.certificate_pem)], "not in the name of alice")
    refused([replace(alice.member, name="carol")], "not in the name of carol")
    refused([replace(alice.member, certificate_pem=b"nothing")], "not an identity certificate")


def test_doubled_members_and_keys_are_refused(alice: Org, bob: Org) -> None:
    refused([alice.member, alice.member], "the name alice occurs twice")
    refused([alice.member, make_org("alice").member], "the name alice occurs twice")


def test_one_key_under_two_names_is_refused() -> None:
    """Otherwise one organisation could fill two of the four computing places unseen."""
    first = Identity("carol", b"1" * 32, b"2" * 32)
    for second, message in (
        (Identity("dora", b"1" * 32, b"3" * 32), "the identity key"),
        (Identity("dora", b"4" * 32, b"2" * 32), "the sealing key"),
    ):
        pair = [entry_of(i, self_signed_ca(i, now=NOW), "party", "a:1", "a:2") for i in (first, second)]
        refused(pair, f"{message} .* occurs twice")


def test_roles_and_addresses(alice: Org) -> None:
    refused([replace(alice.member, links="")], "a party has a links address")
    refused([replace(alice.member, role="coordinator")], "a coordinator has none")
    hubs = [make_org(name, coordinator=True).member for name in ("hub", "hub2")]
    refused(hubs, "at most one coordinator")
    refused([replace(alice.member, control="localhost")], "should be host:port")
    refused([], "members: ")


def test_too_many_members_are_refused(alice: Org) -> None:
    refused([alice.member] * (MAX_MEMBERS + 1), f"at most {MAX_MEMBERS}")


def test_a_fault_has_its_place_in_the_file(roster: Roster) -> None:
    text = render(roster.members)
    line = next(at for at, content in enumerate(text.splitlines(), start=1) if "role:" in content)
    with pytest.raises(ConfigError, match=f"r.yaml:{line}:11: .*did you mean 'party'"):
        Roster.loads(text.replace("role: party", "role: prty"), source="r.yaml")


def test_a_damaged_base64_is_refused(roster: Roster, alice: Org) -> None:
    key = base64.b64encode(alice.member.sealing_key).decode()
    with pytest.raises(ConfigError, match="should be base64"):
        Roster.loads(render(roster.members).replace(key, "-" + key[1:]))


@pytest.mark.parametrize("text", ["a:1", "127.0.0.1:65535", "[::1]:7411", "mpc.example.org:7411"])
def test_addresses(text: str) -> None:
    assert address(text) == text
    host, port = split_address(text)
    assert port > 0
    assert "[" not in host


@pytest.mark.parametrize(
    "text", ["a", ":1", "a:", "a:0", "a:65536", "a:١", "::1:7411", "a b:1", "a:1\n", "-a:1"]
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        address(text)
