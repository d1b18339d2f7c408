//! Who asks, through which channel and in which language: the ticket as it comes in.

use chrono::{DateTime, Utc};

use super::dice::Dice;
use super::matter::text;
use crate::clock::beijing_day;
use crate::language::Language;
use crate::phone::Phone;
use crate::ticket::{
    Channel, Handling, Heard, Line, Matter, Number, RequestType, Requester, State, Supervision, Ticket, Urgency,
};

const CHANNELS: [(Channel, u32); 6] = [
    (Channel::Phone, 720),
    (Channel::Wechat, 130),
    (Channel::MiniProgram, 60),
    (Channel::Website, 50),
    (Channel::Weibo, 20),
    (Channel::Paper, 20),
];

const TYPES: [(RequestType, u32); 6] = [
    (RequestType::Consult, 340),
    (RequestType::Help, 300),
    (RequestType::Complaint, 210),
    (RequestType::Suggest, 70),
    (RequestType::Report, 40),
    (RequestType::Praise, 40),
];

const NAMES: [&str; 12] =
    ["扎西", "卓玛", "次仁", "央金", "旦增", "拉姆", "བཀྲ་ཤིས", "སྒྲོལ་མ", "ཚེ་རིང", "དབྱངས་ཅན", "王女士", "李先生"];
const ENTERPRISES: [&str; 5] = ["高原建材", "雪域食品", "圣地旅游", "雅江物流", "羌塘牧业"];

/// A ticket that has just been created.
pub fn ticket(number: Number, at: DateTime<Utc>, phones: u32, dice: &mut Dice) -> Ticket {
    let channel = dice.weighted(&CHANNELS);
    let requester = if dice.permille(70) { Requester::Enterprise } else { Requester::Citizen };
    let request_type = (!dice.permille(40)).then(|| dice.weighted(&TYPES));
    let anonymous = dice.permille(20);
    Ticket {
        number,
        city: number.city(),
        channel,
        line: (channel == Channel::Phone).then(|| "12345".to_owned()),
        call: None,
        client: None,
        created_at: at,
        created_day: beijing_day(at),
        language: if dice.permille(550) { Language::Bo } else { Language::Zh },
        requester,
        name: (!anonymous && dice.permille(450)).then(|| text(*dice.pick(&NAMES))),
        enterprise_name: (requester == Requester::Enterprise).then(|| enterprise(dice)),
        phone: (!dice.permille(25)).then(|| phone(phones, dice)),
        other_phone: None,
        anonymous,
        confidential: request_type == Some(RequestType::Report) || dice.permille(20),
        request_type,
        urgency: Urgency::Normal,
        confirmed: channel != Channel::Phone || dice.permille(880),
        matter: Matter::default(),
        state: State::Received,
        state_since: at,
        handling: Handling { round: 1, ..Handling::default() },
        supervision: Supervision::default(),
        visit: Heard::default(),
        version: 1,
    }
}

fn enterprise(dice: &mut Dice) -> Line {
    text(format!("西藏{}有限公司", dice.pick(&ENTERPRISES)))
}

/// Some call often: the lower numbers come up more than the higher ones.
fn phone(phones: u32, dice: &mut Dice) -> Phone {
    let highest = 1 + dice.below(phones);
    let number = dice.below(highest);
    Phone::from_national(&format!("019{number:08}")).expect("eleven digits or more")
}
