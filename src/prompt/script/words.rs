//! What the script says about the prompts, in Chinese.

use crate::language::Language;
use crate::prompt::master::Kind;
use crate::prompt::parts::group as group_of;
use crate::prompt::sheet::Entry;

pub(super) const fn language(language: Language) -> &'static str {
    match language {
        Language::Bo => "藏语",
        Language::Zh => "汉语",
    }
}

/// The heading of a group.
pub(super) fn group(group: &str) -> &'static str {
    match group {
        "greet" => "问候和结束语",
        "lang" => "语言选择",
        "notice" => "告知",
        "menu" => "主菜单",
        "opt" => "菜单选项",
        "press" => "按键提示",
        "who" => "来电人",
        "type" => "诉求类型",
        "rec" => "录音",
        "conf" => "保密",
        "phone" => "联系电话",
        "tk" => "工单",
        "pg" => "查询进度",
        "st" => "办理状态",
        "kb" => "咨询菜单",
        "kbans" => "咨询答复",
        "q" => "转接和排队",
        "em" => "紧急情况",
        "ev" => "一把手听民声",
        "office" => "单位名称",
        "err" => "出错提示",
        "rv" => "回访",
        "digit" => "单个数字",
        "num" => "数目",
        "year" => "年",
        "month" => "月",
        "day" => "日",
        "weekday" => "星期",
        "daypart" => "时段",
        "clock" => "钟点",
        "rel" => "昨天、今天、明天",
        "unit" => "单位",
        "city" => "城市",
        _ => "其他",
    }
}

/// How a prompt is used, by its group.
pub(super) fn usage(id: &str) -> &'static str {
    match (group_of(id), id.split_once('.').map_or("", |(_, name)| name)) {
        ("menu", _) | ("kb" | "rv", "head") => "菜单开头：后面逐条接选项",
        ("opt" | "lang" | "who" | "type" | "kb", _) => "菜单选项：后面紧接“请按一”等按键提示，不要收尾",
        ("em", name) if !name.starts_with("dial") => "菜单选项：后面紧接“请按一”等按键提示，不要收尾",
        ("press", _) => "按键提示：紧接在选项后面；数字要格外清楚",
        ("greet", "line") => "紧接在城市名称后面",
        ("greet", _) => "开场和结束：亲切，不急",
        ("notice", _) => "告知：郑重、清楚，来电人必须听完",
        ("rec", _) => "录音指引：耐心，逐项说清",
        ("conf", _) => "询问：后面接“需要，请按一”等选项",
        ("tk" | "phone" | "pg", _) => "办理提示：后面可能紧接编号或电话",
        ("st", _) => "告知办理状态",
        ("kbans", _) => "咨询答复：语速平稳，便于记录",
        ("q", _) => "转接和排队提示",
        ("em", _) => "紧急提示：坚定、清楚，会连播两遍",
        ("ev", _) => "活动提示：可能紧接单位名称",
        ("office", _) => "单位名称：嵌在句子中间",
        ("err", _) => "出错提示：温和，不责备",
        ("rv", _) => "回访用语",
        ("digit", _) => "单个数字：与别的数字连播，音高、音量、语速前后一致",
        ("city", _) => "城市名称：嵌在问候语中间",
        (_, _) if Kind::of(id) == Kind::Part => "数目或日期的一部分：与前后的词连播，音高、音量前后一致",
        _ => "提示语",
    }
}

/// What stands for something that differs from call to call.
pub(super) fn placeholder(what: &str) -> &'static str {
    match what {
        "city.*" => "城市名称",
        "st.*" => "办理状态",
        "lang.*" => "另一种语言的名称",
        "office.*" => "单位名称",
        "kb.*" => "咨询条目",
        "kbans.*" => "咨询答复",
        "{ticket}" => "工单编号",
        "{last_four}" => "编号末四位",
        "{phone}" => "电话号码",
        "{due}" => "日期",
        "{recording}" => "来电人的录音",
        _ => "数字",
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intonation {
    /// Part of a number or a date.
    Flat,
    Continues,
    Ends,
    Question,
}

impl Intonation {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Intonation::Flat => "→ 语调平：前后都接别的词",
            Intonation::Continues => "↗ 未完：句尾不落，后面还有话",
            Intonation::Ends => "↘ 结束：句尾落下",
            Intonation::Question => "？ 疑问",
        }
    }
}

/// By the marks at the end of the text. Tibetan has no question mark: whether it asks is seen in the Chinese.
pub(super) fn intonation(language: Language, entry: &Entry) -> Intonation {
    let text = entry.line.text.trim_end();
    let chinese = match language {
        Language::Zh => text,
        Language::Bo => entry.meaning.as_deref().unwrap_or_default(),
    };
    let continues = match language {
        Language::Zh => !text.ends_with(['。', '！', '；', '…']),
        // a condition ends in the word ན; after ག no shad is written
        Language::Bo => text.ends_with("་ན།") || !text.ends_with(['།', 'ག']),
    };
    match continues {
        _ if Kind::of(&entry.id) == Kind::Part => Intonation::Flat,
        _ if chinese.trim_end().ends_with('？') => Intonation::Question,
        true => Intonation::Continues,
        false => Intonation::Ends,
    }
}
