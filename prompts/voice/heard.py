"""How each prompt is heard: alone, or between the prompts that callers hear around it."""

# By group: the prompts before and after. A short fragment is understood in its sentence, not alone.
AROUND = {
    "opt": (["menu.head"], ["press.1"]), "lang": (["greet.line"], ["press.1"]), "who": (["menu.head"], ["press.1"]),
    "type": (["menu.head"], ["press.3"]), "press": (["menu.head", "opt.report"], []),
    "em": (["menu.head"], ["press.1"]), "kb": (["kb.head"], ["press.4"]),
    "digit": (["phone.is", "trio.135"], ["trio_end.246"]),
    "num": (["q.ahead1"], ["q.ahead2"]),
    "month": (["st.due"], ["day.15"]), "day": (["st.due", "month.6"], []),
    "weekday": (["st.due", "month.6", "day.15"], []), "rel": (["st.due"], []),
    "daypart": (["st.due", "month.6", "day.15"], ["clock.9"]), "clock": (["st.due", "rel.tomorrow", "daypart.morning"], []),
    "unit": (["q.ahead1", "num.5"], []),
    "city": (["greet.hello"], ["greet.line"]),
    "office": (["ev.intro"], []),
    "year": (["st.due"], ["month.3", "day.8"]),
}
# By prompt, where the group's rule does not fit.
AROUND_ONE = {
    "opt.yes": (["rv.reopen"], ["press.1"]), "opt.no": (["rv.reopen"], ["press.2"]),
    "em.hold": ([], []), "kb.head": ([], []), "kb.solved": ([], []),
    "num.and": (["q.ahead1", "num.100"], ["num.5", "q.ahead2"]), "num.nth": (["q.ahead1"], ["num.3", "q.ahead2"]),
    "clock.half": (["st.due", "rel.tomorrow", "daypart.morning", "clock.9"], []),
    "clock.minutes": (["st.due", "rel.tomorrow", "daypart.morning", "clock.9", "num.20"], []),
    "year.suffix": (["st.due", "num.2", "num.0", "num.4", "num.5"], ["month.3", "day.8"]),
    "q.ahead1": ([], ["num.5", "q.ahead2"]), "q.ahead2": (["q.ahead1", "num.5"], []),
    "rv.matter1": ([], ["month.6", "day.15", "rv.matter2"]), "rv.matter2": (["rv.matter1", "month.6", "day.15"], []),
    "greet.hello": ([], ["city.lhasa", "greet.line"]),
    "st.due": ([], ["month.6", "day.15"]),
}
AROUND_ONE |= {f"em.dial{number}": ([], []) for number in (110, 119, 120)}
AROUND_ONE |= {f"num.{places}": (["q.ahead1"], ["num.35", "q.ahead2"]) for places in range(100, 1_000, 100)}
AROUND_ONE |= {f"num.{places}": (["q.ahead1"], ["num.600", "q.ahead2"]) for places in range(1_000, 10_000, 1_000)}


def chain(line):
    """The ids that are played to hear this prompt as callers do, and its own place among them."""
    before, after = AROUND_ONE.get(line.id) or AROUND.get(line.group) or ([], [])
    return [*before, line.id, *after], len(before)
