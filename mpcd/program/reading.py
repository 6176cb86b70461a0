"""Texts for people: the program with its types, and who learns what from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpcd.program.check import Checked
from mpcd.program.nodes import Node
from mpcd.program.ops import OPS
from mpcd.program.text import program_hash, to_bytes
from mpcd.program.types import Type, type_text


def show(checked: Checked) -> str:
    """The program as the person who approves it reads it: one line per operation, with ranges.

    Values that an argument gives carry its name; the others carry their number.
    """
    program = checked.program
    labels = _labels(checked)
    lines = [f"program {program.name}  sha256:{program_hash(to_bytes(program)).hex()}"]
    if program.doc:
        lines.append(f'  "{program.doc}"')
    lines += [f"  {name}: at most {most} rows" for name, most in program.maxima]
    for position, node in enumerate(program.nodes):
        if node.op == "constant":
            continue
        results = checked.results(position)
        if node.declared is not None:
            lines.append(f"  {node.op:9} {node.name}: {checked.types[results[0]]}")
            continue
        defined = ", ".join(labels[v] for v in results)
        ranges = ", ".join(type_text(checked.types[v]) for v in results)
        lines.append(f"  {defined} = {node.op} {', '.join(labels[a] for a in node.args)}    # {ranges}")
    lines += [f"  reveal    {name} = {labels[value]}" for name, value in program.outputs]
    return "\n".join(lines) + "\n"


def _labels(checked: Checked) -> list[str]:
    labels: list[str] = []
    for node in checked.program.nodes:
        if node.declared is not None:
            labels.append(node.name)
        elif node.op == "constant":
            labels.append(str(node.literal).lower() if isinstance(node.literal, bool) else str(node.literal))
        else:
            labels += [f"%{len(labels) + k}" for k in range(len(OPS[node.op].results))]
    return labels


def sources(checked: Checked) -> dict[str, tuple[str, ...]]:
    """Output name -> names of the secret inputs it depends on, in order of declaration."""
    depends: list[int] = []  # one bit per input: a program of thousands of operations stays cheap
    inputs: list[str] = []
    for position, node in enumerate(checked.program.nodes):
        own = 0
        if node.op == "input":
            own = 1 << len(inputs)
            inputs.append(node.name)
        for arg in node.args:
            own |= depends[arg]
        depends.extend([own] * len(checked.results(position)))
    return {
        name: tuple([input_name for k, input_name in enumerate(inputs) if depends[value] >> k & 1])
        for name, value in checked.program.outputs
    }


def who_learns_what(checked: Checked, recipients: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences that say what each side will know after a job, beyond its own inputs.

    `recipients` maps an output to the names of those who get it; an output without any is not opened.
    """
    origin = sources(checked)
    public = [*checked.parameters, *(f"the length of {name}" for name in checked.maxima)]
    lines = [f"Everybody in the job knows the program, {', '.join([*public, 'and how long it took'])}."]
    for name, t in checked.outputs.items():
        people = ", ".join(recipients.get(name, ())) or "Nobody"
        verb = "learn" if len(recipients.get(name, ())) > 1 else "learns"
        lines.append(f"{people} {verb} {name}: {_described(t)}, computed from {', '.join(origin[name])}.")
    lines += [
        f"WARNING: the output {name} is a private input just as it was put in."
        for name in _bare_inputs(checked)
    ]
    lines.append(f"Nobody learns anything else of {', '.join(checked.inputs)}.")
    return lines


def _described(t: Type) -> str:
    one = f"an integer from {t.low} to {t.high}" if t.kind == "int" else "yes or no"
    return f"{one} for every element of ({', '.join(map(str, t.shape))})" if t.shape else one


def _bare_inputs(checked: Checked) -> list[str]:
    """Outputs that are an input itself."""
    nodes: dict[int, Node] = dict(zip(checked.starts, checked.program.nodes, strict=True))
    return [name for name, v in checked.program.outputs if v in nodes and nodes[v].op == "input"]
