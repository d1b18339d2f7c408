//! What requests are about: a class by a long-tailed distribution, a place, and texts that hold both, so that searching
//! and matching have something to find. No native speaker has read the Tibetan.

use super::dice::Dice;
use super::places::{SPOTS, centre, districts};
use crate::city::City;
use crate::language::Language;
use crate::ticket::catalogue::{Catalogue, Class};
use crate::ticket::{Body, ClassCode, Edit, Line, Position, RequestType, Text, Urgency};

/// The classes, with how often each is asked about.
#[derive(Debug)]
pub struct Matters {
    classes: Vec<&'static Class>,
    weights: Vec<u32>,
}

/// A matter that a request is about.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub class: ClassCode,
    keyword: &'static str,
    class_bo: &'static str,
    district: (&'static str, &'static str),
    spot: (&'static str, &'static str),
    door: Option<u32>,
}

const TROUBLES: [&str; 8] = [
    "已经三天没有解决",
    "影响居民生活",
    "一直没有人管",
    "存在安全隐患",
    "收费不合理",
    "长期无人处理",
    "反复出现",
    "希望尽快处理",
];
const ASKS: [&str; 4] = ["怎么办理", "需要什么材料", "在哪里办理", "什么时候办理"];

impl Matters {
    pub fn new() -> Matters {
        let classes: Vec<&Class> = Catalogue::built_in().classes.iter().filter(|class| class.active).collect();
        // 37 and the number of classes share no factor: each class has a rank of its own, far from its neighbours'
        let rank = |at: usize| (at * 37) % classes.len();
        let weights = (0..classes.len()).map(|at| 10_000 / (u32::try_from(rank(at)).unwrap_or(0) + 2)).collect();
        Matters { classes, weights }
    }

    pub fn choose(&self, city: City, dice: &mut Dice) -> Chosen {
        let class = self.classes[dice.place(&self.weights)];
        let chinese: Vec<&str> =
            class.keywords.iter().map(|word| word.as_str()).filter(|word| !is_tibetan(word)).collect();
        Chosen {
            class: class.code,
            keyword: if chinese.is_empty() { class.zh.as_str() } else { dice.pick::<&str>(&chinese) },
            class_bo: class.bo.as_str(),
            district: *dice.pick(districts(city)),
            spot: *dice.pick(&SPOTS),
            door: dice.permille(400).then(|| 1 + dice.below(200)),
        }
    }
}

fn is_tibetan(text: &str) -> bool {
    text.chars().any(|c| ('\u{0f00}'..='\u{0fff}').contains(&c))
}

impl Chosen {
    /// What an agent writes after listening.
    pub fn edit(&self, city: City, language: Language, request_type: Option<RequestType>, dice: &mut Dice) -> Edit {
        let kind = request_type.unwrap_or(RequestType::Help);
        let in_tibetan = language == Language::Bo && dice.permille(500);
        let urgency = dice.weighted(&[(Urgency::Normal, 955), (Urgency::Urgent, 38), (Urgency::Critical, 7)]);
        let (title, content) = if in_tibetan { self.tibetan(kind) } else { self.chinese(kind, dice) };
        let (north, east) = centre(city);
        let mut near = |degrees: f64| degrees + (f64::from(dice.below(2_000)) - 1_000.0) / 20_000.0;
        let position = Position::from_degrees(near(north), near(east));
        Edit {
            title: Some(text(title)),
            content: Some(text(content)),
            summary: in_tibetan.then(|| text(self.chinese(kind, dice).0)),
            class: Some(self.class),
            place: Some(self.place(in_tibetan)),
            position: position.filter(|_| dice.permille(300)),
            urgency: (urgency != Urgency::Normal).then_some(urgency),
            request_type: request_type.is_none().then_some(kind),
            ..Edit::default()
        }
    }

    fn place(&self, in_tibetan: bool) -> Line {
        if in_tibetan {
            return text(format!("{}་{}", self.district.1, self.spot.1));
        }
        let door = self.door.map(|door| format!("{door}号")).unwrap_or_default();
        text(format!("{}{}{door}", self.district.0, self.spot.0))
    }

    fn chinese(&self, kind: RequestType, dice: &mut Dice) -> (String, String) {
        let (word, place) = (self.keyword, format!("{}{}", self.district.0, self.spot.0));
        let trouble = *dice.pick(&TROUBLES);
        match kind {
            RequestType::Consult => {
                let ask = *dice.pick(&ASKS);
                (format!("咨询{word}{ask}"), format!("来电咨询{place}{word}{ask}，请工作人员答复。"))
            }
            RequestType::Help => (format!("{place}{word}求助"), format!("{place}{word}{trouble}，请求帮助。")),
            RequestType::Complaint => (format!("投诉{place}{word}"), format!("投诉{place}{word}{trouble}，要求处理。")),
            RequestType::Report => {
                (format!("举报{place}{word}"), format!("举报{place}有人在{word}方面违规，要求查处。"))
            }
            RequestType::Suggest => {
                (format!("建议改进{place}{word}"), format!("建议有关部门改进{place}的{word}工作。"))
            }
            RequestType::Praise => (format!("感谢{place}工作人员"), format!("感谢{place}工作人员帮助解决{word}问题。")),
        }
    }

    fn tibetan(&self, kind: RequestType) -> (String, String) {
        let place = format!("{}་{}", self.district.1, self.spot.1);
        let (short, long) = match kind {
            RequestType::Consult => ("སྐོར་བཀའ་འདྲི", "སྐོར་ལ་བཀའ་འདྲི་ཞུ་གི་ཡོད།"),
            RequestType::Help => ("རོགས་སྐྱོར", "ཐད་ལ་རོགས་སྐྱོར་གནང་རོགས།"),
            RequestType::Complaint => ("ཞུ་གཏུག", "ཐད་ཀྱི་གནད་དོན་ཐག་གཅོད་གནང་རོགས།"),
            RequestType::Report => ("ཁྲིམས་འགལ་གསལ་སྟོན", "ཐད་ལ་ཁྲིམས་འགལ་ཡོད་པས་ཞིབ་བཤེར་གནང་རོགས།"),
            RequestType::Suggest => ("བསམ་འཆར", "ཐད་ལ་བསམ་འཆར་ཞུ་རྒྱུ་ཡོད།"),
            RequestType::Praise => ("བསྔགས་བརྗོད", "ཐད་ལ་ཐུགས་རྗེ་ཆེ་ཞུ་རྒྱུ་ཡོད།"),
        };
        (format!("{}་{short}", self.class_bo), format!("{place}། {}་{long}", self.class_bo))
    }
}

/// A text of ours fits its field.
pub fn text<const MAX: usize>(text: impl Into<String>) -> Text<MAX> {
    Text::try_from(text.into()).expect("shorter than the field")
}

/// What units and agents write back.
pub fn reply(dice: &mut Dice) -> Body {
    const REPLIES: [&str; 5] = [
        "已安排工作人员现场处理，问题已解决，并向群众说明。",
        "经核实情况属实，已督促责任单位整改完毕。",
        "已向来电人解释相关政策，来电人表示理解。",
        "已纳入近期计划，将按期完成，并已告知来电人。",
        "经现场查看，已当场处理，后续将加强日常管理。",
    ];
    text(*dice.pick(&REPLIES))
}
