"""Tibetan spelling to Lhasa pronunciation, by rule.

The rules are those of the usual descriptions of Lhasa Tibetan: the root letter is found among prefixes, stacks and
suffixes; it and what stands on, under and before it give the onset and the register of the tone; the suffix changes
the vowel, closes the syllable and bends the tone. The text marks syllables but no words, so words are guessed: those
in WORDS are known, a particle joins the word before it, other syllables pair up. In a word only the first syllable keeps its aspirated low
onset and its register; the second is high.

>>> spell("བཀྲ་ཤིས་བདེ་ལེགས།")
"tra-shi' te-lek"
>>> spell("ལྷ་ས་གྲོང་ཁྱེར།")
'lha-sa throng-khye:'
>>> spell("ཐུགས་རྗེ་ཆེ།")
'thuk-ce che'
>>> spell("དབང། དབུ། དབྱིན་ཇི།")
'wang u yin-ci'
>>> spell("བརྒྱད། བཅུ་གཅིག་པའི། ཉི་ཤུ་རྩ་གཅིག")
"kyä' cuk-cik-pä: nyi-shu tsak-cik"
>>> spell("ཟླ་བ། དགའ། མཐར། བསྒྲུབས། གཡག")
'ta-wa ka tha: trup yak'
>>> spell("གྲོང་ཁྱེར་ལས་ཁུངས་ཀྱིས། གཟའ་ཕུར་བུ")
"throng-khye: lä'-khung-kyi' sa phu:-pu"
>>> spell("ནོར་བའམ།")
'no:-wa-am'
>>> spell("abc")
Traceback (most recent call last):
tibetan.Unreadable: abc: U+0061
"""

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
PARTICLES = set((
    "གི ཀྱི གྱི ཡི གིས ཀྱིས གྱིས ལ ན ནས དང ནི པ པར པས བ བར བས པོ མ མོ ཚོ ཚོས "
    "ཏུ དུ སུ རུ ཀྱང ཅེས ཞིག ཤིག ངས"
).split())
# Words of two syllables that pairing from the left would tear apart; the second may take an affix.
WORDS = {tuple(word.split("་")) for word in (
    "ཡང་བསྐྱར ཁྱེད་རང ལས་ཁུངས ལས་བྱེད ལས་ཀ འགན་འཁུར འགན་སྲུང ཉིན་གྲངས ཐག་གཅོད "
    "ཐག་ཆོད ཐོ་འགོད འབྲེལ་མཐུད འབྲེལ་བ བསམ་འཆར བཀའ་འདྲི ཕུར་བུ གྲོང་ཁྱེར ནང་དོན "
    "གནད་དོན ཁ་པར ཞལ་པར འཕྲིན་ཐུང ས་གནས ད་ལྟ དང་པོ དང་ལེན མ་བྱུང "
    "མ་སོང མ་རེད མ་བཞག མ་ཚང མི་དགོས གསར་འགོད ལན་འདེབས གཏན་འཁེལ གནས་སྐབས "
    "རོགས་གནང ཞབས་ཞུ སྐད་སྒྲ མ་ལག གོ་རིམ ཁ་ལོ བར་ཆད ཕྱིར་འཐེན རྗེས་འདེད "
    "དུས་ཐོག ཀླད་ཀོར སྲིད་དོན "
).split()}
# Words that pair with nothing, and words that do not pair with each other.
ALONE = {"གཟའ"}
DIGITS = set("གཅིག གཉིས གསུམ བཞི ལྔ དྲུག བདུན བརྒྱད དགུ".split())
# In numbers an open syllable takes the consonant that is written first in the next: བཅུ་གཅིག chuk-chik.
LINKED = {
    ("བཅུ", "གཅིག"): "k", ("བཅུ", "གསུམ"): "k", ("བཅུ", "བཞི"): "p", ("བཅུ", "བདུན"): "p", ("བཅོ", "བརྒྱད"): "p",
    ("བཞི", "བཅུ"): "p", ("ལྔ", "བཅུ"): "p", ("དགུ", "བཅུ"): "p",
    ("རྩ", "གཅིག"): "k", ("རྩ", "གསུམ"): "k", ("རྩ", "བཞི"): "p", ("རྩ", "བདུན"): "p", ("རྩ", "བརྒྱད"): "p",
}


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


def words(text):
    """The phrases of a text (shad ends one), each a list of words, each a list of sounds."""
    phrases = []
    for phrase in text.replace("༔", "།").replace(" ", "།").split("།"):
        syllables = [syllable for syllable in phrase.split("་") if syllable]
        if syllables:
            phrases.append([word_sounds(word) for word in pair_up(syllables)])
    return phrases


def spell(text):
    """The pronunciation in letters, for people: words apart, syllables joined by hyphens."""
    def letters(sound):
        return sound.onset + sound.vowel + (sound.coda or "'" * sound.falling or ":" * sound.long)
    return " ".join("-".join(map(letters, word)) for phrase in words(text) for word in phrase)


def pair_up(syllables):
    """Guesses words: known ones, particles with what stands before them, pairs of the rest."""
    pairs, open_pair, at = [], False, 0
    while at < len(syllables):
        syllable = syllables[at]
        if is_word(syllables[at:at + 2]):
            pairs.append(syllables[at:at + 2])
            open_pair = False
            at += 1
        elif pairs and split_affix(syllable)[0] in PARTICLES:
            pairs[-1].append(syllable)
            open_pair = False
        elif open_pair and not {syllable, pairs[-1][-1]} <= DIGITS:
            pairs[-1].append(syllable)
            open_pair = False
        else:
            pairs.append([syllable])
            open_pair = syllable not in ALONE
        at += 1
    return pairs


def is_word(two):
    return len(two) == 2 and (two[0], split_affix(two[1])[0]) in WORDS


def word_sounds(word):
    sounds = []
    for place, syllable in enumerate(word):
        first, *affix = read(syllable)
        if place:
            first = inside_word(syllable, first)
        sounds += [first, *affix]
        link = LINKED.get(tuple(word[place:place + 2]))
        if link and not sounds[-1].coda:
            sounds[-1] = replace(sounds[-1], coda=link)
    return sounds


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
