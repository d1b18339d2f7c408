"""Tibetan spelling to Lhasa pronunciation, by rule. The text comes with spaces between words (the manifest's `words`).

The rules with where they come from; a table of examples, checked by `python3 tibetan.py`, stands at the end. "Seen" is
what was read; "to look up" names a work of which only a heading or an abstract was at hand, so that a rule marked so
rests on the writers' own knowledge until somebody with the book, or a native speaker, has confirmed it.

syllable   the root letter is found among prefixes, stacks and suffixes; it and what stands on, under and before it give
           the onset and the register of the tone; suffixes change the vowel, close the syllable and bend the tone
           [seen: Modern Literary Tibetan, lesson 1, 1.7.2.3: d and s make the tone fall, a o u become ä ö ü, n
           nasalises. To look up for onsets and registers: Tournadre and Dorje, Manual of Standard Tibetan]
word       only the first syllable of a word keeps aspirated low onsets and its register, later ones are high
           [seen: DeLancey, Lhasa Tibetan, 2003, as quoted by indexphonemica.net: the tone is contrastive on the first
           syllable and spreads, falling at the end of a word. To look up: tibetanlanguage.school, unit 3, 5.1 and 6.2]
particle   པ and བ are pa and wa, and join their word [to look up: Manual of Standard Tibetan]
linking    in numbers a prefix g or b of the next syllable closes an open one: བཅུ་གཅིག chuk-chik, བཅོ་བརྒྱད chop-gyä
           [seen: learntibetan.net, Numerals: 18 is chub-gye. To look up for the others, བཅུ་གཉིས above all:
           tibetanlanguage.school, unit 3, 6.1 "consonant restoration"]
harmony    a short open a before a syllable with i, u or ü in the same word is ə: བཀྲ་ཤིས trə-shi; elsewhere it stays
           [a]: ལྷ་ས, ཁ་པར [seen, abstract only: Sprigg, Vowel harmony in Lhasa Tibetan, BSOAS 1961: a alternates with ə
           by harmony. To look up for its condition: Gong, How many vowels are there in Lhasa Tibetan?,
           ltba.19004.gon, 5.1]. The raising of e and o is left out: Gong's contents name exceptions (3.2.3)
digits     ༠ to ༩ are read one by one
"""

import sys
from dataclasses import dataclass, replace

# Onset when nothing stands before or on the letter, the same with a prefix or a superscript, and the register.
ONSETS = {
    "ཀ": ("k", "k", "high"), "ཁ": ("kh", "kh", "high"), "ག": ("kh", "k", "low"), "ང": ("ng", "ng", "sonorant"),
    "ཅ": ("c", "c", "high"), "ཆ": ("ch", "ch", "high"), "ཇ": ("ch", "c", "low"), "ཉ": ("ny", "ny", "sonorant"),
    "ཏ": ("t", "t", "high"), "ཐ": ("th", "th", "high"), "ད": ("th", "t", "low"), "ན": ("n", "n", "sonorant"),
    "པ": ("p", "p", "high"), "ཕ": ("ph", "ph", "high"), "བ": ("ph", "p", "low"), "མ": ("m", "m", "sonorant"),
    "ཙ": ("ts", "ts", "high"), "ཚ": ("tsh", "tsh", "high"), "ཛ": ("tsh", "ts", "low"), "ཝ": ("w", "w", "low"),
    "ཞ": ("sh", "sh", "low"), "ཟ": ("s", "s", "low"), "འ": ("", "", "low"), "ཡ": ("y", "y", "sonorant"),
    "ར": ("r", "r", "sonorant"), "ལ": ("l", "l", "sonorant"), "ཤ": ("sh", "sh", "high"), "ས": ("s", "s", "high"),
    "ཧ": ("h", "h", "high"), "ཨ": ("", "", "high"),
}
PALATAL = {"p": "c", "ph": "ch", "k": "ky", "kh": "khy", "m": "ny"}  # with a subscript ya
RETROFLEX = {"k": "tr", "t": "tr", "p": "tr", "kh": "thr", "th": "thr", "ph": "thr", "h": "rh"}  # with a subscript ra
UNASPIRATED = {"kh": "k", "khy": "ky", "ch": "c", "th": "t", "ph": "p", "tsh": "ts", "thr": "tr"}
VOWELS = {"ི": "i", "ུ": "u", "ེ": "e", "ོ": "o"}
FRONTED = {"a": "ä", "o": "ö", "u": "ü"}
FRONTING = "དནལས"
CODAS = {"ག": "k", "ད": "'", "ང": "ng", "ན": "n", "བ": "p", "མ": "m"}
PREFIXES = "གདབམའ"
SUPERSCRIPTS = "རལས"
SUBSCRIPTS = "ཡརལཝ"
# Added to an open syllable: the genitive and its like; a bare འ only marks that it is open.
AFFIXES = {"འི": "i", "འུ": "u", "འོ": "o", "འམ": "am", "འང": "ang", "འ": ""}
NUMERALS = set(
    "གཅིག གཉིས གསུམ བཞི ལྔ དྲུག བདུན བརྒྱད དགུ བཅུ བཅོ ཉི ཤུ རྩ སུམ ཅུ སོ ཞེ ང རེ དོན གྱ གོ བརྒྱ ཉིས ཆིག སྟོང".split())
LINKS = {"ག": "k", "བ": "p"}  # a prefix that is heard again behind an open numeral
DIGITS = "ཀླད་ཀོར གཅིག གཉིས གསུམ བཞི ལྔ དྲུག བདུན བརྒྱད དགུ".split()
HIGH_VOWELS = ("i", "u", "ü")
PARTICLES = set("གི ཀྱི གྱི གིས ཀྱིས གྱིས ཏུ དུ སུ རུ ཞིག ཤིག".split())


@dataclass(frozen=True)
class Sound:
    """One syllable as Lhasa says it; the coda ' is a glottal stop."""
    onset: str
    vowel: str
    coda: str
    high: bool
    falling: bool
    long: bool


class Unreadable(ValueError):
    """Not a Tibetan syllable."""


def phrases(words):
    """The phrases of a text with spaces between its words (shad ends a phrase), each a list of words of sounds."""
    for number, digit in enumerate(DIGITS):
        words = words.replace(chr(0x0F20 + number), f" {digit} ")
    for phrase in words.replace("༔", "།").split("།"):
        split = [[syllable for syllable in word.split("་") if syllable] for word in phrase.split()]
        if any(split):
            yield [word_sounds(word) for word in split if word]


def word_sounds(word):
    sounds = []
    for place, syllable in enumerate(word):
        first, *affix = read(syllable)
        if place:
            first = inside_word(syllable, first)
            if raised(sounds[-1], syllable, first):
                sounds[-1] = replace(sounds[-1], vowel="ə")
        sounds += [first, *affix]
        if set(map(numeral, word[place:place + 2])) <= NUMERALS and len(word) > place + 1 and not sounds[-1].coda:
            sounds[-1] = replace(sounds[-1], coda=LINKS.get(prefix_of(word[place + 1]), ""))
    return sounds


def numeral(syllable):
    return split_affix(syllable)[0]


def prefix_of(syllable):
    """The prefix letter of a syllable, or nothing."""
    clusters = split_clusters(split_affix(syllable)[0])
    return clusters[0][0][0] if len(clusters) > 1 and find_root(clusters) else ""


def raised(sound, syllable, following):
    """A short open a before a high vowel of the same word, a particle apart, is ə."""
    open_a = sound.vowel == "a" and not sound.coda and not sound.long
    return open_a and following.vowel in HIGH_VOWELS and syllable not in PARTICLES


def inside_word(syllable, sound):
    """A syllable that is not the first: high, without the aspiration of a low onset; the particle བ is wa."""
    onset = sound.onset if sound.high else UNASPIRATED.get(sound.onset, sound.onset)
    if split_affix(syllable)[0] in ("བ", "བར", "བས"):
        onset = "w"
    return replace(sound, onset=onset, high=True)


def read(syllable):
    """The sound of one written syllable; two where an affix is a syllable of its own (བའམ)."""
    stem, affix = split_affix(syllable)
    clusters = split_clusters(stem)
    # what takes an affix is open, so its last letter is the root: དགའི is ka, not thak
    root = find_root(clusters) if stem == syllable else len(clusters) - 1
    prefix = clusters[root - 1][0][0] if root else ""
    suffixes = "".join(letters[0] for letters, _ in clusters[root + 1:])
    if root > 1 or len(suffixes) > 2 or (prefix and prefix not in PREFIXES):
        raise Unreadable(syllable)
    letters, vowel = clusters[root]
    onset, high = read_onset(prefix, letters, vowel)
    sound = read_rime(onset, high, vowel or "a", suffixes)
    return add_affix(sound, affix)


def split_affix(syllable):
    for written, affix in AFFIXES.items():
        if syllable.endswith(written) and len(syllable) > len(written):
            return syllable[:-len(written)], affix
    return syllable, ""


def split_clusters(stem):
    """Letters with what is stacked under them, and the vowel: [(["ས", "ག", "ར"], "o"), (["ལ"], "")]."""
    clusters = []
    for sign in stem:
        if "\u0f40" <= sign <= "\u0f6c":
            clusters.append(([sign], ""))
        elif "\u0f90" <= sign <= "\u0fbc" and clusters:
            clusters[-1][0].append(chr(ord(sign) - 0x50))
        elif sign in VOWELS and clusters:
            clusters[-1] = (clusters[-1][0], VOWELS[sign])
        else:
            raise Unreadable(f"{stem}: U+{ord(sign):04X}")
    if not clusters:
        raise Unreadable(stem)
    return clusters


def find_root(clusters):
    """The index of the root: it bears the vowel or the stack; among bare letters the position tells."""
    for index, (letters, vowel) in enumerate(clusters):
        if vowel or len(letters) > 1:
            return index
    bare = "".join(letters[0] for letters, _ in clusters)
    if len(bare) < 3 or bare[0] not in PREFIXES:
        return 0
    return 0 if len(bare) == 3 and bare[2] == "ས" and bare[1] in "གངབམ" else 1


def read_onset(prefix, letters, vowel):
    """The onset and whether the register is high."""
    superscript = letters[0] if len(letters) > 1 and letters[0] in SUPERSCRIPTS and letters[1] not in SUBSCRIPTS else ""
    stack = letters[1:] if superscript else letters
    root, below = stack[0], stack[1:]
    if superscript == "ལ" and root == "ཧ":
        return "lh", True
    if root not in ONSETS:
        raise Unreadable(root)
    if root == "ཟ" and "ལ" in below:
        return "t", False
    if "ལ" in below:
        return "l", True
    if prefix == "ད" and root == "བ":
        return ("y" if "ཡ" in below else "r" if "ར" in below else "w" if vowel in ("", "i", "e") else ""), True
    alone, preceded, register = ONSETS[root]
    onset = preceded if prefix or superscript else alone
    high = register == "high" or (register == "sonorant" and bool(prefix or superscript))
    if "ཡ" in below:
        onset = PALATAL.get(onset, onset)
    if "ར" in below:
        onset = RETROFLEX.get(onset, onset)
    return onset, high


def read_rime(onset, high, vowel, suffixes):
    suffix = suffixes[:1]
    if suffix and suffix in FRONTING:
        vowel = FRONTED.get(vowel, vowel)
    falling = suffix in ("ག", "ད", "བ", "ས") or suffixes[1:] == "ས"
    return Sound(onset, vowel, CODAS.get(suffix, ""), high, falling and suffix != "", suffix in ("ར", "ལ", "ས"))


def add_affix(sound, affix):
    if affix == "i":
        return [replace(sound, vowel=FRONTED.get(sound.vowel, sound.vowel), long=True)]
    if affix in ("u", "o"):
        return [replace(sound, vowel=sound.vowel + affix if sound.vowel != affix else affix, long=True)]
    if affix:
        return [sound, Sound("", "a", "m" if affix == "am" else "ng", sound.high, False, False)]
    return [sound]


def spell(words):
    """The pronunciation in letters, for people: words apart, syllables joined by hyphens, commas between phrases."""
    def letters(sound):
        return sound.onset + sound.vowel + (sound.coda or "'" * sound.falling or ":" * sound.long)
    return ", ".join(" ".join("-".join(map(letters, word)) for word in phrase) for phrase in phrases(words))


# Written with spaces between words, and how Lhasa says it: ' is a falling tone, : a long vowel.
EXAMPLES = """
syllable   དབང། དབུ། དབྱིན་ཇི།                 wang, u, yin-ci
syllable   ཟླ་བ། དགའ། བསྒྲུབས། གཡག               ta-wa, ka, trup, yak
syllable   ཐུགས་རྗེ ཆེ།                        thuk-ce che
word       གྲོང་ཁྱེར ལས་ཁུངས་ཀྱིས                throng-khye: lä'-khung-kyi'
word       བོད་ལྗོངས                            phö'-cong
word       གསོལ་འདེབས                          sö:-tep
word       ཁྱེད་རང་གི                           khye'-rang-ki
particle   ཟླ་བ དགུ་པའི                         ta-wa ku-pä:
particle   ནོར་བའམ                             no:-wa-am
linking    བཅུ་གཅིག                            cuk-cik
linking    བཅུ་གཉིས                            cuk-nyi'
linking    བཅུ་བདུན                            cup-tün
linking    བཅོ་བརྒྱད                            cop-kyä'
linking    བཅོ་ལྔ                               co-nga
linking    ཉི་ཤུ་རྩ་གཅིག                         nyi-shu-tsak-cik
linking    བཞི་བཅུ་ཞེ་གཉིས                       ship-cu-shek-nyi'
linking    དྲུག་ཅུ་རེ་གསུམ                       thruk-cu-rek-sum
linking    བཅུ་གཅིག་པའི                         cuk-cik-pä:
harmony    བཀྲ་ཤིས བདེ་ལེགས                     trə-shi' te-lek
harmony    ལྷ་ས། ཁ་པར། ད་ལྟ                     lha-sa, kha-pa:, tha-ta
digits     ༡༢                                  cik nyi'
digits     ༠                                   lä'-ko:
"""


def mistakes():
    """The examples that come out otherwise, in words."""
    for line in EXAMPLES.strip().splitlines():
        rule, rest = line.split(maxsplit=1)
        words, _, expected = rest.partition("   ")
        if spell(words) != expected.strip():
            yield f"{rule}: {words} is {spell(words)}, not {expected.strip()}"


if __name__ == "__main__":
    found = list(mistakes())
    print("\n".join(found) or f"{len(EXAMPLES.strip().splitlines())} examples are right")
    sys.exit(1 if found else 0)
