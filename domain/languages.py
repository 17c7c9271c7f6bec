"""Which of several languages is meant by a tag: lookup by language ranges (RFC 4647), and the near ones too."""

from collections.abc import Iterable


def lookup(told: str, tags: Iterable[str]) -> str | None:
    """The tag that suits a language best; None if none does.

    The same tag; else the first that is a narrower one (zh has zh-CN); else the same with what is told made wider, part
    by part from the end (zh-Hant-TW, zh-Hant, zh), without what only introduces the next part.
    """
    known = {tag.lower(): tag for tag in tags}
    parts = told.strip().lower().split("-")
    while parts and parts[0]:
        wanted = "-".join(parts)
        if wanted in known:
            return known[wanted]
        narrower = next((tag for key, tag in known.items() if key.startswith(f"{wanted}-")), None)
        if narrower is not None:
            return narrower
        parts.pop()
        while parts and len(parts[-1]) == 1:
            parts.pop()
    return None
