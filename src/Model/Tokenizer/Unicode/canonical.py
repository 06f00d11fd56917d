"""Writes canonical.txt: what Unicode normal form C needs, from Python's copy of the Unicode Character Database.

    python canonical.py > canonical.txt

`C A [B]`: character C decomposes to A, or to A and B, which compose to it; with `-` before it they don't.
`@N FIRST[-LAST] …`: characters of combining class N. Hangul syllables are computed, not listed.
"""
import sys
import unicodedata

characters = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000 and not 0xAC00 <= c < 0xD7A4]
print("# Unicode", unicodedata.unidata_version)
for c in characters:
    parts = unicodedata.decomposition(chr(c)).split()
    if not parts or parts[0].startswith("<"):
        continue
    composes = unicodedata.normalize("NFC", "".join(chr(int(p, 16)) for p in parts)) == chr(c)
    print(("" if composes else "-") + f"{c:04X}", *parts)
ranges = {}
for c in characters:
    if n := unicodedata.combining(chr(c)):
        found = ranges.setdefault(n, [])
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
for n, found in sorted(ranges.items()):
    print(f"@{n}", *(f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in found))
