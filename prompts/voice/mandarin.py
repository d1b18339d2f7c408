"""Mandarin text to the phonemes of the voice: jieba's words, pypinyin's readings, misaki's phonemes.

A line's `pinyin` in the manifest overrides the readings where the lexicons err. Digits are read one by one with 幺.

>>> reading("藏语服务，")
[['zang4', 'yu3'], ['fu2', 'wu4'], ',']
>>> reading("请拨打110。")
[['qing3'], ['bo1', 'da3'], ['yao1', 'yao1', 'ling2'], '.']
>>> reading("请输入11位号码。", "qing3 shu1 ru4 shi2 yi1 wei4 hao4 ma3")
[['qing3'], ['shu1', 'ru4'], ['shi2', 'yi1'], ['wei4'], ['hao4', 'ma3'], '.']
>>> phonemes("请按一。")
'ʨʰi↓ŋ a↘n ji→.'
"""

import logging
import re

import jieba
from misaki.zh import ZHG2P
from pypinyin import Style, lazy_pinyin, load_phrases_dict

jieba.setLogLevel(logging.ERROR)
# Words that jieba's list lacks.
for word in "工单 藏语 便民 办结 政务服务 承办单位 工作日 催办 回访 听民声 一把手 坐席 专席 转接 挂机 住建局 人社局 医保局".split():
    jieba.add_word(word)
# 藏 is zàng in names of Tibet, 曲 is qū in 那曲.
load_phrases_dict({"藏语": [["zàng"], ["yǔ"]], "藏文": [["zàng"], ["wén"]], "藏历": [["zàng"], ["lì"]],
                   "藏族": [["zàng"], ["zú"]], "那曲": [["nà"], ["qū"]], "那曲市": [["nà"], ["qū"], ["shì"]],
                   "幺": [["yāo"]]})

DIGITS = "ling2 yao1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3".split()
MARKS = {"，": ",", "、": ",", "；": ",", "：": ",", "。": ".", "！": "!", "？": "?", "—": ","}
HAN = "\u4e00-\u9fff"


def reading(text, pinyin=None):
    """The text as words, each a list of syllables with tone digits, and marks."""
    given = re.findall(r"[a-zü]+[1-5]", pinyin) if pinyin else None
    spoken = []
    for part in re.findall(f"[{HAN}]+|[0-9]+|[^{HAN}0-9]", text):
        if part in MARKS:
            spoken.append(MARKS[part])
        elif part.isdigit():
            spoken.append([DIGITS[int(digit)] for digit in part])
        elif re.match(f"[{HAN}]", part):
            spoken += [syllables_of(word) for word in jieba.cut(part)]
        elif not part.isspace():
            raise ValueError(f"{text}: {part} can't be spoken")
    if given is None:
        return spoken
    count = sum(len(word) for word in spoken if isinstance(word, list))
    if count != len(given):
        raise ValueError(f"{text}: {count} syllables, and pinyin for {len(given)}")
    return [word if isinstance(word, str) else [given.pop(0) for _ in word] for word in spoken]


def syllables_of(word):
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
    return [syllable.replace("lv", "lü").replace("nv", "nü") for syllable in found]


def phonemes(text, pinyin=None):
    return written(reading(text, pinyin))


def written(spoken):
    """Words apart by spaces, marks behind their words."""
    line = ""
    for word in spoken:
        line += f"{word}" if isinstance(word, str) else " " + "".join(map(syllable, word))
    return line.strip()


def syllable(pinyin):
    """misaki's phonemes; yi, yin and ying get an audible glide: 按一 is not a-ni."""
    sound = ZHG2P.py2ipa(pinyin.replace("ü", "v")).replace("\u032f", "")
    return "j" + sound if pinyin[0] == "y" and sound[0] == "i" else sound


def syllables(text, pinyin=None):
    return [syllable for word in reading(text, pinyin) if isinstance(word, list) for syllable in word]
