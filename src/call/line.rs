//! Who calls whom (domain.md §3): the caller's number and the line that was called.

use serde::Deserialize;

use crate::city::City;
use crate::ivr::Profile;
use crate::phone::Phone;
use crate::sip::IncomingInvite;

/// One number that is served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// As the trunk delivers it: `12345`, `089112345`.
    pub number: String,
    pub city: City,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub profile: Profile,
    /// A flow's file, in place of the built-in inbound flow.
    #[serde(default)]
    pub flow: Option<std::path::PathBuf>,
    /// The same for return visits.
    #[serde(default)]
    pub visit_flow: Option<std::path::PathBuf>,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            number: "12345".to_owned(),
            city: City::Lhasa,
            mode: Mode::default(),
            profile: Profile::default(),
            flow: None,
            visit_flow: None,
        }
    }
}

/// How a hotline that was merged into 12345 goes on (domain.md S24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 整体并入: one hotline.
    #[default]
    Absorbed,
    /// 双号并行: both numbers live.
    Parallel,
    /// 设分中心: a sub-centre with its own queue.
    SubCentre,
}

/// The line of a call: the first of Request-URI, P-Called-Party-ID, Diversion and To that names one; else the first
/// line.
pub fn called<'a>(lines: impl Iterator<Item = &'a Line> + Clone, invite: &IncomingInvite) -> usize {
    let named = [&invite.request_user, &invite.called_party_user, &invite.diversion_user, &invite.to_user];
    named.into_iter().flatten().find_map(|user| position(lines.clone(), user)).unwrap_or(0)
}

fn position<'a>(mut lines: impl Iterator<Item = &'a Line> + Clone, user: &str) -> Option<usize> {
    lines.clone().position(|line| line.number == user).or_else(|| {
        let dialled = Phone::parse(user)?;
        lines.position(|line| Phone::parse(&line.number).as_ref() == Some(&dialled))
    })
}

/// The caller's number: P-Asserted-Identity, since only trusted peers are heard, else From; none when the caller
/// withholds it.
pub fn calling(invite: &IncomingInvite) -> Option<Phone> {
    if invite.privacy {
        return None;
    }
    let user = invite.asserted_user.as_deref().or(invite.from_user.as_deref())?;
    Phone::parse(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Hop, Transport};

    fn invite() -> IncomingInvite {
        let address = "127.0.0.1:5060".parse().expect("an address");
        IncomingInvite {
            hop: Hop { transport: Transport::Udp, local: address, peer: address },
            call_id: "a@b".into(),
            request_user: Some("ivr".into()),
            from_user: Some("13800000001".into()),
            asserted_user: None,
            privacy: false,
            called_party_user: None,
            diversion_user: None,
            to_user: None,
            offer: None,
            user_agent: None,
        }
    }

    fn lines() -> Vec<Line> {
        let line = |number: &str, city| Line { number: number.into(), city, ..Line::default() };
        vec![line("12345", City::Lhasa), line("089512345", City::Chamdo), line("12319", City::Nagqu)]
    }

    #[test]
    fn the_request_uri_names_the_line_before_all_others() {
        let invite = IncomingInvite { request_user: Some("12319".into()), to_user: Some("12345".into()), ..invite() };
        assert_eq!(called(lines().iter(), &invite), 2);
    }

    #[test]
    fn what_names_no_line_is_passed_over() {
        let called_party = IncomingInvite { called_party_user: Some("+8689512345".into()), ..invite() };
        assert_eq!(called(lines().iter(), &called_party), 1);
        let diverted =
            IncomingInvite { diversion_user: Some("12319".into()), to_user: Some("12345".into()), ..invite() };
        assert_eq!(called(lines().iter(), &diverted), 2);
        assert_eq!(called(lines().iter(), &invite()), 0);
    }

    #[test]
    fn the_asserted_identity_beats_from_and_privacy_beats_both() {
        let asserted = IncomingInvite { asserted_user: Some("+8613900000002".into()), ..invite() };
        assert_eq!(calling(&asserted).as_ref().map(Phone::digits), Some("13900000002"));
        assert_eq!(calling(&invite()).as_ref().map(Phone::digits), Some("13800000001"));
        assert_eq!(calling(&IncomingInvite { privacy: true, ..asserted }), None);
        let nameless = IncomingInvite { from_user: Some("anonymous".into()), ..invite() };
        assert_eq!(calling(&nameless), None);
    }
}
