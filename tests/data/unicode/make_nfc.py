#!/usr/bin/python3
"""Writes nfc.txt, what Python's unicodedata composes: `make_nfc.py > nfc.txt`. A line: code points, '>', code points."""
import random
import sys
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic, which a test does itself
SPACES = (0x2000, 0x2001)  # are ASCII's, before anything is composed


def row(text):
    composed = unicodedata.normalize("NFC", text)
    return f"{' '.join(f'{ord(one):X}' for one in text)}>{' '.join(f'{ord(one):X}' for one in composed)}"


def every_decomposition():
    for code in range(sys.maxunicode + 1):
        text = unicodedata.normalize("NFD", chr(code))
        if code not in HANGUL and code not in SPACES and text != chr(code):
            yield row(text)
            yield row(chr(code))  # not all of these stay: some are never written composed


def marks_in_any_order(count):
    marks = [chr(code) for code in range(0x300, 0x370) if unicodedata.combining(chr(code))]
    letters = "aeiouAEIOUcnsz\u05d0\u03b1\u0915\u1100"
    dice = random.Random(8265)
    for _ in range(count):
        yield row("".join(dice.choice(letters) + "".join(dice.choices(marks, k=dice.randrange(5))) for _ in range(3)))


if __name__ == "__main__":
    print(f"# by {sys.argv[0].rsplit('/', 1)[-1]}, Unicode {unicodedata.unidata_version}")
    print(*every_decomposition(), *marks_in_any_order(500), sep="\n")
