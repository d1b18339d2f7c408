//! What the keys of rows are called in both languages, where the catalogue does not say.

use crate::city::City;
use crate::language::Language;
use crate::store::{Dimension, Name};
use crate::ticket::{Channel, RequestType};

/// The name of a row; `None` where the key says all, or the catalogue has the name. The Tibetan of channels has
/// confidence C.
pub fn named(dimension: Dimension, key: &str) -> Option<Name> {
    let (zh, bo) = match dimension {
        Dimension::Total => ("合计", "བསྡོམས་འབོར།"),
        Dimension::City => city(key.parse().ok()?),
        Dimension::Channel => channel(key.parse().ok()?),
        Dimension::Language => language(key.parse().ok()?),
        Dimension::RequestType if !key.is_empty() => request_type(key.parse().ok()?),
        Dimension::Unit | Dimension::Class | Dimension::Group | Dimension::RequestType if key.is_empty() => {
            ("未填", "བྲིས་མེད།")
        }
        _ => return None,
    };
    Some(Name { zh: zh.to_owned(), bo: bo.to_owned() })
}

const fn city(city: City) -> (&'static str, &'static str) {
    match city {
        City::Lhasa => ("拉萨市", "ལྷ་ས་གྲོང་ཁྱེར།"),
        City::Shigatse => ("日喀则市", "གཞིས་ཀ་རྩེ་གྲོང་ཁྱེར།"),
        City::Shannan => ("山南市", "ལྷོ་ཁ་གྲོང་ཁྱེར།"),
        City::Nyingchi => ("林芝市", "ཉིང་ཁྲི་གྲོང་ཁྱེར།"),
        City::Chamdo => ("昌都市", "ཆབ་མདོ་གྲོང་ཁྱེར།"),
        City::Nagqu => ("那曲市", "ནག་ཆུ་གྲོང་ཁྱེར།"),
        City::Ngari => ("阿里地区", "མངའ་རིས་ས་ཁུལ།"),
    }
}

const fn channel(channel: Channel) -> (&'static str, &'static str) {
    match channel {
        Channel::Phone => ("电话", "ཁ་པར།"),
        Channel::Wechat => ("微信", "སྐད་འཕྲིན།"),
        Channel::Website => ("网站", "དྲ་ཚིགས།"),
        Channel::Weibo => ("微博", "ཝེ་པོ།"),
        Channel::MiniProgram => ("小程序", "བྱ་རིམ་ཆུང་བ།"),
        Channel::Paper => ("书面", "ཡིག་ཤོག"),
    }
}

const fn language(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Bo => ("藏语", "བོད་སྐད།"),
        Language::Zh => ("普通话", "སྤྱི་སྐད།"),
    }
}

const fn request_type(kind: RequestType) -> (&'static str, &'static str) {
    match kind {
        RequestType::Consult => ("咨询", "བཀའ་འདྲི།"),
        RequestType::Help => ("求助", "རོགས་རམ།"),
        RequestType::Complaint => ("投诉", "ཞུ་གཏུག"),
        RequestType::Report => ("举报", "ཐེར་འདོན།"),
        RequestType::Suggest => ("意见建议", "བསམ་འཆར།"),
        RequestType::Praise => ("表扬", "བསྔགས་བརྗོད།"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_without_a_catalogue_has_both_names() {
        let cities = City::ALL.map(|city| (Dimension::City, city.slug()));
        let channels = Channel::ALL.iter().map(|channel| (Dimension::Channel, channel.name()));
        let languages = Language::ALL.map(|language| (Dimension::Language, language.code()));
        let types = RequestType::ALL.iter().map(|kind| (Dimension::RequestType, kind.name()));
        let without =
            [(Dimension::Unit, ""), (Dimension::Class, ""), (Dimension::RequestType, ""), (Dimension::Total, "")];
        for (dimension, key) in cities.into_iter().chain(channels).chain(languages).chain(types).chain(without) {
            let name = named(dimension, key).unwrap_or_else(|| panic!("{dimension} {key}"));
            assert!(!name.zh.is_empty() && name.bo.chars().all(|letter| ('\u{f00}'..'\u{1000}').contains(&letter)));
        }
        assert_eq!(named(Dimension::Unit, "lhasa-housing"), None);
        assert_eq!(named(Dimension::Day, "2026-11-22"), None);
    }
}
